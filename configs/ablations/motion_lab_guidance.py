# Classifier-free guidance (arXiv 2207.12598) by the first code: dropped for a tenth of the training samples, and tested
# with several scales.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Guidance by the first code'
dropped = {'model.conditioning': dict(start_dropout=0.1)}
variants = [
    dict(name='never dropped'),
    dict(name='dropped, scale 1', options=dropped),
    *(dict(name=f'dropped, scale {scale}', after='dropped, scale 1', train=False, options={
        'model.conditioning': dict(start_dropout=0.1, guidance_scales=dict(start=scale))})
      for scale in (0.5, 1.5, 2.0, 4.0)),
]
reference = 'never dropped'
del dropped
