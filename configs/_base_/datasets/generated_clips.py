# Measuring a motion diffusion on video: for every real clip one is generated from its first frame by the model under
# test and the animator of `animator`. `size` is the animator's. In the test, with test_cfg.motion='frozen' (nothing
# moves) and 'real' (the clip's own codes) the same metrics tell what generation gains and what the animator loses.
val_filters = dict(split='val')
test_filters = dict(split='test')
# how frames become square, as in the training of the animator
crop = 'center'
# 'all' takes every clip of a video that does not overlap the one before
test_clips = 'first'
test_batch_size = 8
video_extractor = dict(type='EfficientNetLite0Features')
# FaceIdentity for faces
content_extractor = dict(type='ColorStatistics')
protocol = 'quick'
# During training a few clips of the validation split are measured; a best checkpoint is kept with
# default_hooks.checkpoint.save_best=video/fvd-efficientnet_lite0_dt@16x1. Without videos: --cfg-options val_cfg=None
val_clips = 32

val_dataloader = dict(
    batch_size='$test_batch_size',
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ClipDataset',
        data_root='$data_root',
        size='$size',
        num_frames='$num_frames',
        clips='$test_clips',
        max_clips='$val_clips',
        frames=dict(crop='$crop'),
        filters='$val_filters'))
val_evaluator = [
    dict(type='VideoDistances', extractor='$video_extractor', protocol='quick', cache_real=True),
    dict(type='AverageContentDistance', extractor='$content_extractor', cache_real=True),
]
val_cfg = dict(type='GenerationValLoop', num_sequences=2, motion_evaluator=[dict(type='MotionStatistics')])

test_dataloader = dict(
    batch_size='$test_batch_size',
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ClipDataset',
        data_root='$data_root',
        size='$size',
        num_frames='$num_frames',
        clips='$test_clips',
        frames=dict(crop='$crop'),
        filters='$test_filters'))
test_evaluator = [
    dict(type='VideoDistances', extractor='$video_extractor', protocol='$protocol'),
    dict(type='AverageContentDistance', extractor='$content_extractor'),
]
# several sequences from one start tell how diverse motion is; one of them is rendered
test_cfg = dict(
    type='GenerationTestLoop', num_sequences=4, motion_evaluator=[dict(type='MotionStatistics')], out_dir='generated')
