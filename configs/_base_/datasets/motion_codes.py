# Windows of motion codes from a cache that one animator made of a folder of videos. The whole cache is held in memory.
# leokit train makes the cache of the videos in `data_root` if it is not there yet. Identities and splits are those of
# the videos, also if a manifest was edited after the codes were extracted; without splits, identities are divided by
# their names, in all stages alike.
codes_dir = '${data_root}_codes'
code_filters = dict(split='train')
sequences_per_batch = 64

train_dataloader = dict(
    batch_size='$sequences_per_batch',
    num_workers=0,
    sampler=dict(type='DeterministicSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MotionCodeDataset',
        codes_dir='$codes_dir',
        data_root='$data_root',
        num_frames='$num_frames',
        filters='$code_filters'))
