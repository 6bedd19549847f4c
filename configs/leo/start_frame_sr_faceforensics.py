# The starting frame of FaceForensics, second stage (LEO, section 3.3): the 64x64 of
# configs/leo/start_frame_faceforensics.py upsampled to 256x256. One GPU, 16 frames.
_base_ = '../_base_/start_frame_sr_256.py'
data_root = 'data/faceforensics'
animator = dict(config='configs/lia/lia_faceforensics_256.py', checkpoint='work_dirs/lia_faceforensics_256')
first_stage = dict(config='configs/leo/start_frame_faceforensics.py', checkpoint='work_dirs/start_frame_faceforensics')
