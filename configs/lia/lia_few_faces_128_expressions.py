# From heads that move to faces that do: goes on from the animator of configs/lia/lia_few_faces_128.py. One GPU, some
# minutes.
#
# There, heads have most of the pixels and so most of the gradient. And before a mouth can open, the network paints what
# all mouths have in common, a blur; deep features dislike it more than the source's own mouth, so that copying that is
# cheapest and stays so. Here pixels count by how much they change, pairs lie as often near in time as far apart, the
# generator may paint what the source does not show, and the perceptual loss comes last, to sharpen.
_base_ = './lia_few_faces_128.py'
load_from = 'work_dirs/lia_few_faces_128'
load_strict = False  # the layers that paint are new
inpaint = True
max_iters = 12_000
val_interval = 2_000
# the perceptual loss is away until the one and has its full weight from the other
perceptual_begin = 8_200
perceptual_ramp = 10_600

train_dataloader = dict(dataset=dict(min_gap=3, distance_power=-1.0))
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedAffine', rotation=8.0, scale=0.1, translation=0.05),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]
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
