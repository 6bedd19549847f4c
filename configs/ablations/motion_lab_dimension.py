# The motion dimension, 20 in the paper, from pixels to generated motion: an animator of each dimension at 64x64, and
# motion diffusion on its codes. Distances in code space do not compare between animators; those of the renderer's
# parameters, which a linear map reads off the codes, and of rendered videos do.
title = 'Motion dimension'
base = 'configs/lia/lia_synthetic_64.py'
dimensions = (5, 10, 20, 40, 80)
reconstruction = [
    dict(key='reconstruction/ratio_l1', label='ratio_l1', target='high'),
    dict(key='reconstruction/moving_ratio_l1', label='moving_ratio_l1', target='high'),
    dict(key='reconstruction/ratio_perceptual-efficientnet_lite0', label='ratio_perceptual', target='high'),
]
motion = [
    *(dict(key=f'parameters/r2_{name}', label=f'R² {name}', target='high')
      for name in ('yaw', 'pitch', 'mouth_open', 'blink')),
    dict(key='parameters/true_frechet-residuals_dt', label='FD to true parameters, residuals'),
    dict(key='parameters/limit_frechet-residuals_dt', label='the same, real codes'),
    dict(key='parameters/frechet-residuals_dt', label='FD of parameters, residuals'),
    dict(key='parameters/frechet-codes_dt', label='FD of parameters'),
    dict(key='parameters/jitter_ratio', label='parameters: jitter / real', target=1.0),
    dict(key='parameters/dispersion_ratio', label='parameters: dispersion / real', target=1.0),
    dict(key='motion/jitter_ratio', label='jitter / real', target=1.0),
    dict(key='motion/dispersion_ratio', label='dispersion / real', target=1.0),
    dict(key='motion/drift_ratio', label='drift / real', target=1.0),
    dict(key='video/fvd-efficientnet_lite0_dt@16x1', label='FVD (EfficientNet)'),
]
# of all runs: no validation, and no checkpoint but the last
options = {
    'data_root': 'data/synthetic_faces',
    'val_cfg': None,
    'val_dataloader': None,
    'val_evaluator': None,
    'default_hooks.checkpoint.interval': 1_000_000,
    'default_hooks.logger.interval': 200,
}
animator = {'max_iters': 1000, 'perceptual_ramp': 500, 'num_workers': 1, 'val_pairs_per_video': 4}
diffusion = {
    'animator': dict(config='{config}', checkpoint='{checkpoint}'),
    'codes_dir': '{checkpoint}_codes',  # the training extracts them
    'model.backbone.channels': (128, 128, 192),
    'sequences_per_batch': 128,
    'max_iters': 2000,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
        dict(type='CosineAnnealingLR', by_epoch=False, T_max='$max_iters', eta_min=0),
    ],
    'custom_hooks': [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.999)],
    'test_batch_size': 32,
    'test_evaluator': [dict(type='VideoDistances', extractor='$video_extractor', metrics=['fvd'])],
    'test_cfg': dict(
        type='GenerationTestLoop', num_sequences=4,
        motion_evaluator=[
            dict(type='MotionStatistics'),
            dict(type='ParameterMotionStatistics', codes_dir='$codes_dir', ground_truth='$data_root'),
        ]),
}
variants = [
    variant for number in dimensions for variant in (
        dict(name=f'{number} dimensions', metrics=[metric['key'] for metric in reconstruction],
             options={**animator, 'motion_dim': number}),
        dict(name=f'{number} dimensions, motion', config='configs/leo/lmdm_synthetic.py', after=f'{number} dimensions',
             metrics=[metric['key'] for metric in motion], options={**diffusion, 'motion_dim': number}))
]
reference = '20 dimensions'
seeds = [0, 1, 2]
metrics = [*reconstruction, *motion]
del dimensions, reconstruction, motion, animator, diffusion
