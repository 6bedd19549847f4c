# LEO on FaceForensics (section 4.1): the trained models, the strategy for long videos and the benchmark.
_base_ = ['../_base_/benchmarks/leo.py']
default_scope = 'leokit'
data_root = 'data/faceforensics'
animator = dict(config='configs/lia/lia_faceforensics_256.py', checkpoint='work_dirs/lia_faceforensics_256')
motion_diffusion = dict(config='configs/leo/lmdm_faceforensics.py', checkpoint='work_dirs/lmdm_faceforensics')
start_code = dict(config='configs/leo/start_code_faceforensics.py', checkpoint='work_dirs/start_code_faceforensics')
start_frame = dict(config='configs/leo/start_frame_faceforensics.py', checkpoint='work_dirs/start_frame_faceforensics')
start_frame_sr = dict(
    config='configs/leo/start_frame_sr_faceforensics.py', checkpoint='work_dirs/start_frame_sr_faceforensics')
long_video = dict(type='Overlap')
content_extractor = dict(_delete_=True, type='FaceIdentity')
