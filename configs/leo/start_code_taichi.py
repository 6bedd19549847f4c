# The starting codes of TaichiHD (LEO, section 3.2), from the cache of configs/leo/lmdm_taichi.py. One GPU, 1024 codes.
_base_ = [
    '../_base_/models/start_code.py', '../_base_/datasets/start_codes.py', '../_base_/schedules/start_code.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/taichi'
animator = dict(config='configs/lia/lia_taichi_128.py', checkpoint='work_dirs/lia_taichi_128')
