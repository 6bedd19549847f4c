# LEO on SyntheticFaces at 128x128: the trained models, the strategy for long videos and the benchmark.
_base_ = './leo_synthetic.py'
data_root = 'data/synthetic_faces_128'
animator = dict(
    config='configs/lia/lia_synthetic_128_expressions.py', checkpoint='work_dirs/lia_synthetic_128_expressions')
motion_diffusion = dict(config='configs/leo/lmdm_synthetic_128.py', checkpoint='work_dirs/lmdm_synthetic_128')
start_code = dict(config='configs/leo/start_code_synthetic_128.py', checkpoint='work_dirs/start_code_synthetic_128')
start_frame = dict(config='configs/leo/start_frame_synthetic_128.py', checkpoint='work_dirs/start_frame_synthetic_128')
