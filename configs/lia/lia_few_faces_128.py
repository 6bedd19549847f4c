# Stage 1 on few identities (tens of clips): half the channels, strong augmentation shared by both frames of a pair, no
# discriminator, perceptual features that need no download. One GPU, 64 pairs, bfloat16, some minutes.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator_small.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/faces'
size = 128
channel_multiplier = 0.5
max_channels = 256
grid = 'exact'
perceptual_backbone = dict(type='EfficientNetLite0Features')
perceptual_weight = 0.03

# strong augmentation keeps the network from memorizing the few identities; faces of other proportions, about those of
# other people: elastic_strength=0.02
elastic_strength = 0.0
color_jitter = dict(type='PairedColorJitter', brightness=0.4, contrast=0.4, saturation=0.5, hue=0.08)
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedElastic', strength='$elastic_strength', rotation=15.0, scale=0.2, translation=0.1),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]

# held-out identities for the test, and the last fifth of all other clips for validation
held_out = []
train_filters = dict(_delete_=True, segment=(0.0, 0.8), exclude_identities='$held_out')
val_filters = dict(_delete_=True, segment=(0.8, 1.0), exclude_identities='$held_out')
test_filters = dict(_delete_=True, identities='$held_out')
batch_size = 64
num_workers = 8
val_pairs_per_video = 8
max_iters = 10_000

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
            dict(type='PerceptualLoss', weight='$perceptual_weight', backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=1.0, warp_operator=dict(type='BilinearWarp', grid='$grid')),
        ]))
