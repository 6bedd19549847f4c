# Facial expressions on SyntheticFaces at 128x128: continues the training of configs/lia/lia_synthetic_128.py;
# configs/lia/lia_few_faces_128_expressions.py explains the recipe. One GPU, 64 pairs, some minutes.
_base_ = './lia_synthetic_128.py'
load_from = 'work_dirs/lia_synthetic_128'
load_strict = False  # the inpainting layers are new
inpaint = True
max_iters = 8_000
val_interval = 2_000
# the perceptual loss has weight 0 before the first and its full weight from the second iteration on
perceptual_begin = 5_600
perceptual_ramp = 7_200

train_dataloader = dict(dataset=dict(min_gap=3, distance_power=-1.0))
model = dict(
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='ChangedPixelLoss', weight=2.0),
            dict(type='PerceptualLoss', weight=0.003, backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=0.5, warp_operator=dict(type='BilinearWarp', grid='$grid')),
        ]))
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
]
