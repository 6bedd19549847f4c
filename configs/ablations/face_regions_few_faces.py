# What losses on mouth and eyes add in the second phase on few real faces. Every run starts from the same checkpoint of
# the first phase, which must exist. Run it with leokit ablate; data_root, held_out and regions are yours:
# --cfg-options options.data_root=MANIFEST options.regions=FILE.npz options.held_out="['A','B']". Then measure
# mouths and eyes of each run with leokit analyze expressions.
title = 'Losses on mouth and eyes, few real faces'
base = 'configs/lia/lia_few_faces_128_regions.py'
options = {'data_root': 'data/faces', 'held_out': [], 'regions': ['data/faces_regions.npz']}
variants = [
    dict(name='none', options={'region_weight': 0.0, 'crop_weight': 0.0}),
    dict(name='pixels 0.3', options={'region_weight': 0.3, 'crop_weight': 0.0}),
    dict(name='pixels 1', options={'region_weight': 1.0, 'crop_weight': 0.0}),
    dict(name='pixels 3', options={'region_weight': 3.0, 'crop_weight': 0.0}),
    dict(name='pixels 1, features 0.003', options={'region_weight': 1.0, 'crop_weight': 0.003}),
    dict(name='pixels 1, features 0.01', options={'region_weight': 1.0, 'crop_weight': 0.01}),
]
reference = 'none'
seeds = [0]
metrics = [
    dict(key='reconstruction/ratio_l1', label='ratio_l1', target='high'),
    dict(key='reconstruction/moving_ratio_l1', label='moving_ratio_l1', target='high'),
    dict(key='reconstruction/ratio_perceptual-efficientnet_lite0', label='ratio_perceptual', target='high'),
]
curves = ['loss_l1', 'loss_perceptual']
