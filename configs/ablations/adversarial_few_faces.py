# The study of configs/ablations/adversarial.py on few real faces, measured on unseen identities.
# data_root and held_out are yours: --cfg-options options.data_root=MANIFEST options.held_out="['A','B']".
_base_ = './adversarial.py'
title = 'The discriminator on few real faces'
base = 'configs/lia/lia_few_faces_128_adversarial.py'
options = {'data_root': 'data/faces', 'held_out': []}
