# LEO on TaichiHD (section 4.1): the trained models, the strategy for long videos and the benchmark.
_base_ = ['../_base_/benchmarks/leo.py']
default_scope = 'leokit'
data_root = 'data/taichi'
animator = dict(config='configs/lia/lia_taichi_128.py', checkpoint='work_dirs/lia_taichi_128')
motion_diffusion = dict(config='configs/leo/lmdm_taichi.py', checkpoint='work_dirs/lmdm_taichi')
start_code = dict(config='configs/leo/start_code_taichi.py', checkpoint='work_dirs/start_code_taichi')
start_frame = dict(config='configs/leo/start_frame_taichi.py', checkpoint='work_dirs/start_frame_taichi')
start_frame_sr = dict(config='configs/leo/start_frame_sr_taichi.py', checkpoint='work_dirs/start_frame_sr_taichi')
long_video = dict(type='Overlap')
protocol = 'leo_128'
long_protocol = 'leo_long_128'
