# Evaluation of a motion diffusion on video: for every real clip, one is generated from its first frame by the model
# under test and `animator`, whose resolution is `size`. In the test, the baselines test_cfg.motion='frozen' (a still
# frame) and 'real' (the codes of the clip itself) give the same metrics without generated motion and without its error.
val_filters = dict(split='val')
test_filters = dict(split='test')
# how frames become square, as in the training of the animator
crop = 'center'
# 'all': every clip of a video that does not overlap the previous one
test_clips = 'first'
test_batch_size = 8
video_extractor = dict(type='EfficientNetLite0Features')
# FaceIdentity for faces
content_extractor = dict(type='ColorStatistics')
protocol = 'quick'
# Validation uses some clips of the validation split; default_hooks.checkpoint.save_best=
# video/fvd-efficientnet_lite0_dt@16x1 keeps the best checkpoint. Without videos: --cfg-options val_cfg=None
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
# several sequences per first frame measure the diversity of motion; one of them is rendered
test_cfg = dict(
    type='GenerationTestLoop', num_sequences=4, motion_evaluator=[dict(type='MotionStatistics')], out_dir='generated')
