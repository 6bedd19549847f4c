# Choices in the training of the animator on SyntheticFaces at 64x64, early in training: Adam's betas, initialization,
# loss on the warped source, motion dimension. Measured on unseen identities. Run it with leokit ablate.
title = 'Training recipes of the animator on SyntheticFaces'
base = 'configs/lia/lia_synthetic_64.py'
options = {'max_iters': 1600, 'val_interval': 1600, 'perceptual_ramp': 500}
_betas = 'optim_wrapper.optimizer.betas'
variants = [
    dict(name='default'),
    dict(name='betas 0.5, 0.99', options={_betas: (0.5, 0.99)}),
    dict(name='betas 0, 0.99', options={_betas: (0.0, 0.99)}),
    dict(name='reference init', options={'init': 'reference'}),
    dict(name='no warped source', options={'model.training.losses.2.weight': 0.0}),
    dict(name='motion_dim 40', options={'motion_dim': 40}),
]
del _betas
reference = 'default'
seeds = [0, 1, 2]
metrics = [
    dict(key='reconstruction/ratio_l1', label='ratio_l1', target='high'),
    dict(key='reconstruction/moving_ratio_l1', label='moving_ratio_l1', target='high'),
    dict(key='reconstruction/ratio_perceptual-efficientnet_lite0', label='ratio_perceptual', target='high'),
]
curves = ['loss_l1', 'loss_perceptual']
