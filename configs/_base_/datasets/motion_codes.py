# Windows of motion codes from the cache of one animator and one folder of videos, held in memory. leokit train extracts
# the codes of the videos in `data_root` if the cache does not exist. Identities and splits are those of the videos,
# even if a manifest was edited after the extraction; without splits, identities are divided by their names, equally in
# all stages.
codes_dir = '${data_root}_codes'
code_filters = dict(split='train')
sequences_per_batch = 64  # per GPU

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
