# What the discriminator adds on SyntheticFaces: weight, start, betas, R1. Every run is a third phase from the same
# checkpoint of the second, which must exist. Run it with leokit ablate.
title = 'The discriminator on SyntheticFaces'
base = 'configs/lia/lia_synthetic_64_adversarial.py'
_without = {
    'model.training.discriminator': None,
    'model.training.adversarial': None,
    'model.training.r1': None,
    # no ramp
    'custom_hooks.1.loss': 'l1',
    'custom_hooks.1.start': 1.0,
}
_momentum = 'optim_wrapper.optimizer.betas'
variants = [
    dict(name='none', options=_without),
    dict(name='0.01', options={'adversarial_weight': 0.01}),
    dict(name='0.03', options={'adversarial_weight': 0.03}),
    dict(name='0.1', options={'adversarial_weight': 0.1}),
    dict(name='0.3', options={'adversarial_weight': 0.3}),
    dict(name='0.03, no R1', options={'adversarial_weight': 0.03, 'model.training.r1': None}),
    dict(name='0.03, no lead', options={
        'adversarial_weight': 0.03, 'adversarial_begin': 0, 'adversarial_ramp': 1}),
    dict(name='0.03, betas 0, 0.99', options={'adversarial_weight': 0.03, _momentum: (0.0, 0.99)}),
]
del _without, _momentum
reference = 'none'
seeds = [0]
metrics = [
    dict(key='frames/sharpness', label='sharpness', target=1.0),
    dict(key='frames/frechet-efficientnet_lite0_224', label='FD of frames'),
    dict(key='reconstruction/l1', label='L1'),
    dict(key='reconstruction/ratio_perceptual-efficientnet_lite0', label='ratio_perceptual', target='high'),
]
curves = ['loss_discriminator', 'frames/sharpness', 'reconstruction/l1']
