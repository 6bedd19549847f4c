# The Linear Motion Condition, the first code concatenated but not added, and no condition, with long videos of 512
# frames. Without a condition, LastCode leaves the windows of a long video independent, and Overlap joins them.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Structure of the motion condition'
variants = [
    dict(name='LMC'),
    dict(name='concatenated', options={'model.motion_condition.type': 'ConcatMotionCondition'}),
    dict(name='none', options={'model.motion_condition.type': 'NoMotionCondition'}),
    dict(name='LMC, last code', after='LMC', train=False, options={
        'long_video': dict(_delete_=True, type='LastCode')}),
    dict(name='concatenated, last code', after='concatenated', train=False, options={
        'model.motion_condition.type': 'ConcatMotionCondition', 'long_video': dict(_delete_=True, type='LastCode')}),
    dict(name='none, last code', after='none', train=False, options={
        'model.motion_condition.type': 'NoMotionCondition', 'long_video': dict(_delete_=True, type='LastCode')}),
]
reference = 'LMC'
metrics = [
    dict(key='motion/frechet-residuals_dt', label='FD of residuals'),
    dict(key='motion/jitter_ratio', label='jitter / real', target=1.0),
    dict(key='motion/dispersion_ratio', label='dispersion / real', target=1.0),
    dict(key='long/boundary_jerk_ratio', label='long: boundary jerk', target=1.0),
    dict(key='long/jitter', label='long: jitter', target=1.0),
    dict(key='long/dispersion', label='long: dispersion', target=1.0),
    dict(key='long/drift', label='long: drift'),
    dict(key='long/recurrence', label='long: recurrence', target=1.0),
]
options = {'test_cfg': dict(long_frames=512)}
