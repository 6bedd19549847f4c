# Stage 1 on bodies of few identities (a hundred clips): the recipe of lia_few_faces_128.py with weaker rotation, since
# people stand upright. One GPU, 64 pairs, bfloat16, some minutes.
_base_ = './lia_few_faces_128.py'
data_root = 'data/bodies'
transforms = [
    dict(type='PairedFlip'),
    dict(type='PairedAffine', rotation=5.0, scale=0.2, translation=0.1),
    '$color_jitter',
    dict(type='MotionView', transforms=['$color_jitter']),
]
