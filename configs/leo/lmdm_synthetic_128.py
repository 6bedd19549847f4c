# Stage 2 on SyntheticFaces at 128x128: the cLMDM of the model leo_synthetic, with 4 million parameters. One GPU, 256
# sequences of 32 frames, minutes.
_base_ = './lmdm_synthetic.py'
data_root = 'data/synthetic_faces_128'
animator = dict(
    config='configs/lia/lia_synthetic_128_expressions.py', checkpoint='work_dirs/lia_synthetic_128_expressions')
size = 128
model = dict(backbone=dict(channels=(128, 128, 192)))
