# The starting frame of TaichiHD, second stage (LEO, section 3.3): the 64x64 of configs/leo/start_frame_taichi.py
# upsampled to 256x256. One GPU, 16 frames.
# Frames are generated at 256x256, although the animator works at 128x128; sampling resizes them to the animator's size.
_base_ = '../_base_/start_frame_sr_256.py'
data_root = 'data/taichi'
animator = dict(config='configs/lia/lia_taichi_128.py', checkpoint='work_dirs/lia_taichi_128')
first_stage = dict(config='configs/leo/start_frame_taichi.py', checkpoint='work_dirs/start_frame_taichi')
