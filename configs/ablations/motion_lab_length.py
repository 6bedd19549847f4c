# Frames of a training sequence. Tested at the length of the training, and by long videos of 512 frames, which are
# comparable between lengths; clips of the code cache must be as long as the longest sequence. DPM-Solver++ is compared
# with the 50 steps of DDIM of the others.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Sequence length'
variants = [
    dict(name='16 frames', options={'num_frames': 16}),
    dict(name='32 frames'),
    dict(name='64 frames', options={'num_frames': 64}),
    dict(name='128 frames', options={'num_frames': 128}),
    *(dict(name=f'{frames} frames, DPM-Solver++', after=f'{frames} frames', train=False, options={
        'num_frames': frames, 'model.sampler': dict(_delete_=True, type='DPMSolverPlusPlusSampler',
                                                    num_inference_steps=20)}) for frames in (32, 64, 128)),
]
reference = '32 frames'
metrics = [
    dict(key='motion/frechet-residuals_dt', label='FD of residuals'),
    dict(key='motion/jitter_ratio', label='jitter / real', target=1.0),
    dict(key='motion/dispersion_ratio', label='dispersion / real', target=1.0),
    dict(key='long/boundary_jerk_ratio', label='long: boundary jerk', target=1.0),
    dict(key='long/jitter', label='long: jitter', target=1.0),
    dict(key='long/dispersion', label='long: dispersion', target=1.0),
    dict(key='long/drift', label='long: drift'),
]
options = {'test_cfg': dict(long_frames=512)}
