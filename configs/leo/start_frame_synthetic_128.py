# The starting frame of SyntheticFaces at 128x128, given codes from the cache of configs/leo/lmdm_synthetic_128.py, with
# 6 million parameters. One GPU, 128 frames, bfloat16, some minutes with --compile.
_base_ = './start_frame_synthetic.py'
data_root = 'data/synthetic_faces_128'
animator = dict(
    config='configs/lia/lia_synthetic_128_expressions.py', checkpoint='work_dirs/lia_synthetic_128_expressions')
size = 128
max_iters = 6000
model = dict(
    backbone=dict(
        channels=(48, 64, 96, 128, 128), attention_levels=(3, 4), embedding_dim=256, head_dim=32, dropout=0.05),
    # as good as 50 steps of DDIM in less than half the time
    sampler=dict(_delete_=True, type='DPMSolverPlusPlusSampler', num_inference_steps=20))
