# The starting codes of SyntheticFaces at 128x128, from the cache of configs/leo/lmdm_synthetic_128.py. One GPU, 1024
# codes, minutes.
_base_ = './start_code_synthetic.py'
data_root = 'data/synthetic_faces_128'
animator = dict(
    config='configs/lia/lia_synthetic_128_expressions.py', checkpoint='work_dirs/lia_synthetic_128_expressions')
model = dict(backbone=dict(dim=256))
