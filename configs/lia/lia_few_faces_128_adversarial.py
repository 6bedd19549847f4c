# Third phase on few real faces: adversarial training from the animator of lia_few_faces_128_expressions.py, for the
# reasons given in lia_synthetic_64_adversarial.py. One GPU, some minutes.
_base_ = './lia_few_faces_128_expressions.py'
load_from = 'work_dirs/lia_few_faces_128_expressions'
load_strict = True
max_iters = 2_000
val_interval = 1_000
learning_rate = 1e-3
adversarial_weight = 0.03
adversarial_begin = 200
adversarial_ramp = 600
# StyleGAN2's rule, 0.0002 * size**2 / batch
r1_weight = 0.0512

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
