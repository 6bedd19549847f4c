# The starting codes of SyntheticFaces (LEO, section 3.2), from the cache of configs/leo/lmdm_synthetic.py. One GPU,
# 1024 codes, minutes.
_base_ = [
    '../_base_/models/start_code.py', '../_base_/datasets/start_codes.py', '../_base_/schedules/start_code.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/synthetic_faces'
animator = dict(config='configs/lia/lia_synthetic_64.py', checkpoint='work_dirs/lia_synthetic_64')
max_iters = 20_000
learning_rate = 4e-4
