# The starting frame of TaichiHD at 64x64 (LEO, section 3.3), given codes from the cache of configs/leo/lmdm_taichi.py;
# configs/leo/start_frame_sr_taichi.py upsamples it. One GPU, 64 frames, bfloat16.
_base_ = [
    '../_base_/models/start_frame.py', '../_base_/datasets/start_frames.py', '../_base_/schedules/start_frame.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/taichi'
animator = dict(config='configs/lia/lia_taichi_128.py', checkpoint='work_dirs/lia_taichi_128')
size = 64
