# Facial expressions: continues the training of the animator of configs/lia/lia_few_faces_128.py. One GPU, 64 pairs,
# some minutes.
#
# In the first training, heads have most of the pixels and therefore most of the gradient. Before a mouth can open, the
# network would have to paint the average of all mouths, a blur; its perceptual loss is larger than that of the source's
# mouth, so copying the latter is a local optimum. Here changing pixels have larger weights, pairs are as often close in
# time as far apart, the generator can inpaint what the source does not show, and the perceptual loss is added last, for
# sharpness.
_base_ = './lia_few_faces_128.py'
load_from = 'work_dirs/lia_few_faces_128'
load_strict = False  # the inpainting layers are new
inpaint = True
max_iters = 12_000
val_interval = 2_000
perceptual_weight = 0.003
# the perceptual loss has weight 0 before the first and its full weight from the second iteration on
perceptual_begin = 8_200
perceptual_ramp = 10_600

train_dataloader = dict(dataset=dict(min_gap=3, distance_power=-1.0))
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedElastic', strength='$elastic_strength', rotation=8.0, scale=0.1, translation=0.05),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]
model = dict(
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='ChangedPixelLoss', weight=2.0),
            dict(type='PerceptualLoss', weight='$perceptual_weight', backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=0.5, warp_operator=dict(type='BilinearWarp', grid='$grid')),
        ]))
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
]
