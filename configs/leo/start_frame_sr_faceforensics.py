# The starting frame of FaceForensics, second stage (LEO, section 3.3): the 64x64 of
# configs/leo/start_frame_faceforensics.py enlarged to 256x256, given the same codes.
_base_ = [
    '../_base_/models/start_frame_sr.py', '../_base_/datasets/start_frames.py', '../_base_/schedules/start_frame.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/faceforensics'
animator = dict(config='configs/lia/lia_faceforensics_256.py', checkpoint='work_dirs/lia_faceforensics_256')
first_stage = dict(config='configs/leo/start_frame_faceforensics.py', checkpoint='work_dirs/start_frame_faceforensics')
size = 256
batch_size = 16
max_iters = 300_000
test_batch_size = 16

test_cfg = dict(first_stage='$first_stage')
