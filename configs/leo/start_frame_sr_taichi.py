# The starting frame of TaichiHD, second stage (LEO, section 3.3): the 64x64 of
# configs/leo/start_frame_taichi.py enlarged to 256x256, given the same codes.
_base_ = [
    '../_base_/models/start_frame_sr.py', '../_base_/datasets/start_frames.py', '../_base_/schedules/start_frame.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/taichi'
animator = dict(config='configs/lia/lia_taichi_128.py', checkpoint='work_dirs/lia_taichi_128')
first_stage = dict(config='configs/leo/start_frame_taichi.py', checkpoint='work_dirs/start_frame_taichi')
size = 256
batch_size = 16
max_iters = 300_000
test_batch_size = 16

test_cfg = dict(first_stage='$first_stage')
