# The starting codes of CelebV-HQ (LEO, section 3.2), from the cache of configs/leo/lmdm_celebv.py. One GPU, 1024 codes.
_base_ = [
    '../_base_/models/start_code.py', '../_base_/datasets/start_codes.py', '../_base_/schedules/start_code.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/celebv'
animator = dict(config='configs/lia/lia_celebv_256.py', checkpoint='work_dirs/lia_celebv_256')
