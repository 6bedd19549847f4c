# A discriminator of mouth and eyes beside that of the frame, on few real faces. Every run is a third phase from the
# same checkpoint of the second, which must exist. Run it with leokit ablate; data_root, held_out and regions are yours,
# as for face_regions_few_faces.py. Then measure mouths and eyes of each run with leokit analyze expressions.
_base_ = './adversarial.py'
title = 'A discriminator of face crops, few real faces'
base = 'configs/lia/lia_few_faces_128_adversarial_crops.py'
options = {'data_root': 'data/faces', 'held_out': [], 'regions': ['data/faces_regions.npz']}
_without_frame = {
    'model.training.discriminator': None,
    'model.training.adversarial': None,
    'model.training.r1': None,
    # no ramp
    'custom_hooks.1.loss': 'l1',
    'custom_hooks.1.start': 1.0,
}
_without_crops = {
    'model.training.face_crops': None,
    'custom_hooks.2.loss': 'l1',
    'custom_hooks.2.start': 1.0,
}
variants = [
    dict(name='none', options=_without_frame | _without_crops),
    dict(name='frame', options=_without_crops),
    dict(name='crops 0.03', options=_without_frame),
    dict(name='crops 0.1', options=_without_frame | {'crop_adversarial_weight': 0.1}),
    dict(name='frame, crops 0.03'),
    dict(name='frame, crops 0.1', options={'crop_adversarial_weight': 0.1}),
]
del _without_frame, _without_crops
curves = ['loss_discriminator', 'loss_discriminator_crops', 'frames/sharpness', 'reconstruction/l1']
