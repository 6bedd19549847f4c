# Windows of motion codes from a cache that one animator made of a folder of videos. The whole cache is held in memory.
# leokit train makes the cache of the videos in `data_root` if it is not there yet.
codes_dir = '${data_root}_codes'
sequences_per_batch = 64

train_dataloader = dict(
    batch_size='$sequences_per_batch',
    num_workers=0,
    sampler=dict(type='DeterministicSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='MotionCodeDataset', codes_dir='$codes_dir', num_frames='$num_frames'))
