# Third phase on real faces and SyntheticFaces, from the animator of lia_few_faces_128_mixed_regions.py, with a
# discriminator of frames and one of mouths and eyes. One GPU, 64 pairs, some minutes.
_base_ = './lia_few_faces_128_mixed_regions.py'
load_from = 'work_dirs/lia_few_faces_128_mixed_regions'
max_iters = 2_000
val_interval = 1_000
learning_rate = 1e-3
# the perceptual losses have their full weight from the start
perceptual_begin = 0
perceptual_ramp = 1
adversarial_weight = 0.03
adversarial_begin = 200
adversarial_ramp = 600
# StyleGAN2's rule, 0.0002 * size**2 / batch, of frames and of crops, three of each pair
r1_weight = 0.0512
crop_size = 64
crop_adversarial_weight = 0.03
crop_r1_weight = 0.0043

model = dict(
    training=dict(
        discriminator=dict(type='StyleGAN2Discriminator'),
        adversarial=dict(type='NonSaturatingLoss', weight='$adversarial_weight'),
        r1=dict(type='R1Penalty', weight='$r1_weight', interval=16),
        face_crops=dict(
            parts=('mouth', 'eyes'), size='$crop_size',
            discriminator=dict(type='StyleGAN2Discriminator'),
            adversarial=dict(type='NonSaturatingLoss', weight='$crop_adversarial_weight'),
            r1=dict(type='R1Penalty', weight='$crop_r1_weight', interval=16))))
val_evaluator = [
    dict(type='ReconstructionMetric', perceptual='$perceptual_backbone'),
    dict(type='FrameDistanceMetric'),
]
test_evaluator = val_evaluator
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
    dict(type='LossRampHook', loss='face_crops', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
    dict(type='LossRampHook', loss='adversarial', begin='$adversarial_begin', end='$adversarial_ramp', start=0.0),
    dict(type='LossRampHook', loss='adversarial_crops', begin='$adversarial_begin', end='$adversarial_ramp', start=0.0),
]
