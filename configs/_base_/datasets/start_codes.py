# Single motion codes from a cache; every code of every video is one sample. Validation and test sample as many codes as
# are held out and compare the distributions. leokit train extracts the codes of the videos in `data_root` if the cache
# does not exist. Identities and splits are those of the videos; without splits, identities are divided by their names,
# equally in all stages.
codes_dir = '${data_root}_codes'
code_filters = dict(split='train')
val_filters = dict(split='val')
held_out_filters = dict(split='test')
# stride between the held-out frames of a video, because neighboring frames are nearly equal
held_out_stride = 4
codes_per_batch = 1024  # per GPU

train_dataloader = dict(
    batch_size='$codes_per_batch',
    num_workers=0,
    sampler=dict(type='DeterministicSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MotionCodeDataset',
        codes_dir='$codes_dir',
        data_root='$data_root',
        num_frames=1,
        filters='$code_filters'))
val_dataloader = dict(
    batch_size='$codes_per_batch',
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MotionCodeDataset',
        codes_dir='$codes_dir',
        data_root='$data_root',
        num_frames=1,
        stride='$held_out_stride',
        filters='$val_filters'))
test_dataloader = dict(
    batch_size='$codes_per_batch',
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MotionCodeDataset',
        codes_dir='$codes_dir',
        data_root='$data_root',
        num_frames=1,
        stride='$held_out_stride',
        filters='$held_out_filters'))

val_evaluator = dict(type='CodeDistribution')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
