# Stage 1 on SyntheticFaces at 64x64 (make them with leokit synthetic-faces). One GPU,
# bfloat16, some minutes; unseen identities are the test split.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/synthetic_faces'
size = 64
channel_multiplier = 0.5
max_channels = 256
grid = 'exact'
perceptual_backbone = dict(type='EfficientNetLite0Features')

batch_size = 64
num_workers = 8
warmup = 200
# the perceptual loss comes in over so many iterations: motion is found first
perceptual_ramp = 2_000
max_iters = 12_000
val_interval = 1_000

train_dataloader = dict(dataset=dict(frames=dict(in_memory=True), distance_power=0.5))
val_dataloader = dict(dataset=dict(frames=dict(in_memory=True)))
test_dataloader = dict(dataset=dict(frames=dict(in_memory=True)))

model = dict(
    data_preprocessor=dict(transforms=[
        dict(type='PairedFlip'),
        dict(type='PairedColorJitter'),
        dict(type='MotionView', transforms=[dict(type='PairedColorJitter')]),
    ]),
    training=dict(
        _delete_=True,
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='PerceptualLoss', weight=0.03, backbone='$perceptual_backbone', num_scales=2),
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
