# Third phase on SyntheticFaces: adversarial training from the animator of lia_synthetic_64_expressions.py. One GPU,
# some minutes. Comparisons: docs/results/adversarial.md.
#
# LIA (ICLR 2022, section 3.3) trains with a discriminator from the first iteration. Here reconstruction losses find the
# motion first, and the discriminator sharpens the result.
_base_ = './lia_synthetic_64_expressions.py'
load_from = 'work_dirs/lia_synthetic_64_expressions'
load_strict = True
max_iters = 2_500
val_interval = 1_000
learning_rate = 1e-3
# 1 in LIA, next to a perceptual loss of weight 10; that weight is 0.003 here
adversarial_weight = 0.01
# the adversarial weight is 0 before the first iteration given here and full from the second on
adversarial_begin = 500
adversarial_ramp = 1_000
# StyleGAN2's rule, 0.0002 * size**2 / batch
r1_weight = 0.0128

# the weight is chosen on validation identities and reported on test identities; several pairs per identity, for
# distances between distributions
val_filters = dict(_delete_=True, split='val')
val_pairs_per_video = 4
test_dataloader = dict(dataset=dict(filters=dict(_delete_=True, split='test')))

model = dict(
    training=dict(
        discriminator=dict(type='StyleGAN2Discriminator'),
        adversarial=dict(type='NonSaturatingLoss', weight='$adversarial_weight'),
        r1=dict(type='R1Penalty', weight='$r1_weight', interval=16)))
val_evaluator = [
    dict(type='ReconstructionMetric', perceptual='$perceptual_backbone'),
    dict(type='FrameDistanceMetric'),
]
test_evaluator = val_evaluator
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='adversarial', begin='$adversarial_begin', end='$adversarial_ramp', start=0.0),
]
