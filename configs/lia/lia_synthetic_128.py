# Stage 1 on SyntheticFaces at 128x128 (leokit synthetic-faces --size 128): the animator of the model leo_synthetic. It
# is narrow (7 million parameters), because it is shipped and runs on CPUs. One GPU, 64 pairs, bfloat16, ten minutes.
_base_ = './lia_synthetic_64.py'
data_root = 'data/synthetic_faces_128'
size = 128
appearance_dim = 256
max_channels = 192
max_iters = 10_000

model = dict(
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='PerceptualLoss', weight=0.03, backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=1.0, warp_operator=dict(type='BilinearWarp', grid='$grid')),
        ]))
