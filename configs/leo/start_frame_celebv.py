# The starting frame of CelebV-HQ at 64x64 (LEO, section 3.3), given codes from the cache of configs/leo/lmdm_celebv.py;
# configs/leo/start_frame_sr_celebv.py upsamples it. One GPU, 64 frames, bfloat16.
_base_ = [
    '../_base_/models/start_frame.py', '../_base_/datasets/start_frames.py', '../_base_/schedules/start_frame.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/celebv'
animator = dict(config='configs/lia/lia_celebv_256.py', checkpoint='work_dirs/lia_celebv_256')
size = 64
