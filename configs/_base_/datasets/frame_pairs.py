# Pairs of frames of one video, from a folder of videos, a folder of frame folders, or a manifest: `data_root`.
# Without splits in folders or a manifest, identities are divided by their names, equally in all stages.
train_filters = dict(split='train')
val_filters = dict(split='val')
test_filters = dict(split='test')
# how frames become square: 'center' crops, 'none' squeezes; everything that uses the animator later follows it
crop = 'center'
# folder of decoded frames (size * size * 3 bytes each); None decodes on demand
frame_cache = None
batch_size = 8  # per GPU
num_workers = 4
val_pairs_per_video = 1

train_dataloader = dict(
    batch_size='$batch_size',
    num_workers='$num_workers',
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DeterministicSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='FramePairDataset',
        data_root='$data_root',
        size='$size',
        filters='$train_filters',
        frames=dict(cache_dir='$frame_cache', crop='$crop')))
val_dataloader = dict(
    batch_size='$batch_size',
    num_workers='$num_workers',
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='FramePairDataset',
        data_root='$data_root',
        size='$size',
        filters='$val_filters',
        frames=dict(cache_dir='$frame_cache', crop='$crop'),
        pairs_per_video='$val_pairs_per_video'))
test_dataloader = dict(
    batch_size='$batch_size',
    num_workers='$num_workers',
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='FramePairDataset',
        data_root='$data_root',
        size='$size',
        filters='$test_filters',
        frames=dict(cache_dir='$frame_cache', crop='$crop'),
        pairs_per_video='$val_pairs_per_video'))

val_evaluator = dict(type='ReconstructionMetric', perceptual='$perceptual_backbone')
test_evaluator = val_evaluator
