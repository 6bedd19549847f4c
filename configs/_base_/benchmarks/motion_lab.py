# Protocol of the studies configs/ablations/motion_lab_*.py: stage 2 in code space, from a code cache alone. Short
# trainings of the LMDM of leo_synthetic (4 million parameters), tested on windows of held-out identities.
base = 'configs/leo/lmdm_synthetic_128.py'
seeds = [0, 1, 2]
metrics = [
    dict(key='motion/frechet-residuals_dt', label='FD of residuals'),
    dict(key='motion/frechet-codes_dt', label='FD of codes'),
    dict(key='motion/jitter_ratio', label='jitter / real', target=1.0),
    dict(key='motion/dispersion_ratio', label='dispersion / real', target=1.0),
    dict(key='motion/drift_ratio', label='drift / real', target=1.0),
]
curves = ['loss_diffusion']

options = {
    'animator': None,
    'sequences_per_batch': 128,
    'max_iters': 3000,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
        dict(type='CosineAnnealingLR', by_epoch=False, T_max='$max_iters', eta_min=0),
    ],
    'custom_hooks': [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.999)],
    'default_hooks.logger.interval': 200,
    'default_hooks.checkpoint.interval': 1_000_000,
    'val_cfg': None,
    'val_dataloader': None,
    'val_evaluator': None,
    'test_dataloader': dict(
        _delete_=True,
        batch_size=512,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(
            type='MotionCodeDataset', codes_dir='$codes_dir', num_frames='$num_frames', stride='$num_frames',
            filters='$test_filters')),
    'test_evaluator': [dict(type='MotionStatistics')],
    'test_cfg': dict(type='MotionTestLoop', _delete_=True),
}
