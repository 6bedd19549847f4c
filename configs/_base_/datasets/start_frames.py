# Frames of the videos in `data_root`, with their codes from a cache, which `leokit train` writes if it does not exist.
# The test samples frames for held-out codes and encodes them with `animator`. Without splits in folders or a manifest,
# identities are divided by their names, in all stages alike.
codes_dir = '${data_root}_codes'
train_filters = dict(split='train')
held_out_filters = dict(split='test')
# how frames become square, as in the training of the animator
crop = 'center'
# folder of decoded frames (size * size * 3 bytes each); None decodes on demand
frame_cache = None
batch_size = 64  # per GPU
num_workers = 4
test_batch_size = 64
held_out_frames_per_video = 1
# frames sampled for each held-out code; their variety is measured
frames_per_code = 4
# features that distinguish identities; FaceIdentity for real faces
content_extractors = [dict(type='ColorStatistics')]

train_dataloader = dict(
    batch_size='$batch_size',
    num_workers='$num_workers',
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DeterministicSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CodedFrameDataset',
        data_root='$data_root',
        size='$size',
        codes_dir='$codes_dir',
        filters='$train_filters',
        frames=dict(cache_dir='$frame_cache', crop='$crop')))
test_dataloader = dict(
    batch_size='$test_batch_size',
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CodedFrameDataset',
        data_root='$data_root',
        size='$size',
        codes_dir='$codes_dir',
        filters='$held_out_filters',
        frames=dict(crop='$crop'),
        frames_per_video='$held_out_frames_per_video'))

test_evaluator = dict(type='StartFrameAgreement', extractors='$content_extractors')
test_cfg = dict(type='StartFrameTestLoop', num_frames='$frames_per_code', out_dir='generated')
