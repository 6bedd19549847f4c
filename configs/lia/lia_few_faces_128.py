# Stage 1 from few people (tens of clips): half the channels, strong augmentation shared by both frames of a pair, no
# discriminator, perceptual features that need no download. One GPU, bfloat16, some minutes.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/faces'
size = 128
channel_multiplier = 0.5
max_channels = 256
grid = 'exact'
perceptual_backbone = dict(type='EfficientNetLite0Features')

# with few people, what the network could learn by heart must change all the time
color_jitter = dict(type='PairedColorJitter', brightness=0.4, contrast=0.4, saturation=0.5, hue=0.08)
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedAffine', rotation=15.0, scale=0.2, translation=0.1),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]

# hold out whole people for the test, and the last fifth of everybody else's clips for validation
held_out = []
train_filters = dict(_delete_=True, segment=(0.0, 0.8), exclude_identities='$held_out')
val_filters = dict(_delete_=True, segment=(0.8, 1.0), exclude_identities='$held_out')
test_filters = dict(_delete_=True, identities='$held_out')
batch_size = 64
num_workers = 8
val_pairs_per_video = 8
warmup = 200
# the perceptual loss comes in over so many iterations: motion is found first
perceptual_ramp = 2_000
max_iters = 10_000
val_interval = 1_000

train_dataloader = dict(
    dataset=dict(frames=dict(in_memory=True), pairs_per_video=64, weighting='identity', distance_power=0.5))
val_dataloader = dict(dataset=dict(frames=dict(in_memory=True)))
test_dataloader = dict(dataset=dict(frames=dict(in_memory=True), pairs_per_video=16))

model = dict(
    data_preprocessor=dict(transforms='$transforms'),
    training=dict(
        _delete_=True,
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='PerceptualLoss', weight=0.03, backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=1.0, warp_operator=dict(type='BilinearWarp', grid='$grid')),
        ]))
optim_wrapper = dict(_delete_=True, type='AutocastOptimWrapper', dtype='bfloat16',
                     optimizer=dict(type='Adam', lr='$learning_rate', betas=(0.9, 0.99)))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end='$warmup'),
    dict(type='CosineAnnealingLR', eta_min=2e-5, by_epoch=False, begin='$warmup', end='$max_iters', T_max='$max_iters'),
]
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', end='$perceptual_ramp'),
]
