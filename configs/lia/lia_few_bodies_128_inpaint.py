# Second phase on bodies: continues the training of lia_few_bodies_128.py with the losses of
# lia_few_faces_128_expressions.py. Limbs are few pixels, which ChangedPixelLoss weights by their change, and uncover
# background, which the generator can now inpaint. Pairs stay distant: arms and legs move far.
_base_ = './lia_few_faces_128_expressions.py'
data_root = 'data/bodies'
load_from = 'work_dirs/lia_few_bodies_128'
max_iters = 6_000
perceptual_begin = 4_000
perceptual_ramp = 5_200
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedAffine', rotation=5.0, scale=0.1, translation=0.05),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]

train_dataloader = dict(dataset=dict(distance_power=0.0))
