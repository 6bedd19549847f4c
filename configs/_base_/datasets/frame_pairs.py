# Pairs of frames of one video, from a folder of videos, a folder of frame folders, or a manifest: `data_root`.
# Without splits in a manifest, the last tenth of every video is held out.
train_filters = dict(segment=(0.0, 0.9))
val_filters = dict(segment=(0.9, 1.0))
# a folder here keeps decoded frames (size * size * 3 bytes each); None decodes when asked for
frame_cache = None
batch_size = 8
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
        frames=dict(cache_dir='$frame_cache')))
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
        frames=dict(cache_dir='$frame_cache'),
        pairs_per_video='$val_pairs_per_video'))
test_dataloader = val_dataloader

val_evaluator = dict(type='ReconstructionMetric', perceptual='$perceptual_backbone')
test_evaluator = val_evaluator
