# Ablation of the Linear Motion Condition (LEO, arXiv 2305.03989, section 4.4) on SyntheticFaces, in code space: with
# it, without a condition, and with alpha_1 concatenated but not added, which separates the effect of the linear
# structure from that of having a condition. Nothing is rendered. Run it with leokit ablate.
title = 'The Linear Motion Condition on SyntheticFaces, in code space'
base = 'configs/leo/lmdm_synthetic.py'
variants = [
    dict(name='LMC'),
    dict(name='concatenated', options={'model.motion_condition.type': 'ConcatMotionCondition'}),
    dict(name='none', options={'model.motion_condition.type': 'NoMotionCondition'}),
]
reference = 'LMC'
seeds = [0, 1, 2]

# Protocol: one sequence per held-out window, from its first code where there is a condition. Without a condition the
# start is free, so the distance counts that does not depend on it: that of the residuals, which are also what is
# rendered. It is easier to reach without a condition, which has no given code to continue.
metrics = [
    dict(key='motion/frechet-residuals_dt', label='FD of residuals'),
    dict(key='motion/frechet-codes_dt', label='FD of codes'),
    dict(key='motion/jitter_ratio', label='jitter / real', target=1.0),
    dict(key='motion/dispersion_ratio', label='dispersion / real', target=1.0),
    dict(key='motion/drift_ratio', label='drift / real', target=1.0),
]
curves = ['loss_diffusion', 'motion/frechet-residuals_dt', 'motion/jitter_ratio']

windows = dict(
    _delete_=True,
    batch_size=256,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='MotionCodeDataset', codes_dir='$codes_dir', num_frames='$num_frames', stride=8, filters='$test_filters'))
options = {
    'val_interval': 2000,
    'val_dataloader': windows,
    'val_evaluator': [dict(type='MotionStatistics')],
    'val_cfg': dict(type='ValLoop', _delete_=True),
    'test_dataloader': windows,
    'test_evaluator': [dict(type='MotionStatistics')],
    'test_cfg': dict(type='TestLoop', _delete_=True),
}
del windows
