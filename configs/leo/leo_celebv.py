# LEO on CelebV-HQ (section 4.1): the trained models, the strategy for long videos and the benchmark.
_base_ = ['../_base_/benchmarks/leo.py']
default_scope = 'leokit'
data_root = 'data/celebv'
animator = dict(config='configs/lia/lia_celebv_256.py', checkpoint='work_dirs/lia_celebv_256')
motion_diffusion = dict(config='configs/leo/lmdm_celebv.py', checkpoint='work_dirs/lmdm_celebv')
start_code = dict(config='configs/leo/start_code_celebv.py', checkpoint='work_dirs/start_code_celebv')
start_frame = dict(config='configs/leo/start_frame_celebv.py', checkpoint='work_dirs/start_frame_celebv')
start_frame_sr = dict(config='configs/leo/start_frame_sr_celebv.py', checkpoint='work_dirs/start_frame_sr_celebv')
long_video = dict(type='Overlap')
content_extractor = dict(_delete_=True, type='FaceIdentity')
