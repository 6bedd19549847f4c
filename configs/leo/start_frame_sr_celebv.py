# The starting frame of CelebV-HQ, second stage (LEO, section 3.3): the 64x64 of configs/leo/start_frame_celebv.py
# upsampled to 256x256. One GPU, 16 frames.
_base_ = '../_base_/start_frame_sr_256.py'
data_root = 'data/celebv'
animator = dict(config='configs/lia/lia_celebv_256.py', checkpoint='work_dirs/lia_celebv_256')
first_stage = dict(config='configs/leo/start_frame_celebv.py', checkpoint='work_dirs/start_frame_celebv')
