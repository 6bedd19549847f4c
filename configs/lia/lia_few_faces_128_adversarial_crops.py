# lia_few_faces_128_adversarial.py with a second discriminator, which sees crops of mouth and eyes only: one of whole
# frames hardly depends on them. `leokit data regions` writes the file with the regions. One GPU, some minutes.
_base_ = './lia_few_faces_128_adversarial.py'
regions = ['data/faces_regions.npz']
crop_size = 64
crop_adversarial_weight = 0.03
# StyleGAN2's rule for crops of this size, three of each pair
crop_r1_weight = 0.0043

train_dataloader = dict(dataset=dict(regions='$regions'))
model = dict(
    training=dict(
        face_crops=dict(
            parts=('mouth', 'eyes'), size='$crop_size',
            discriminator=dict(type='StyleGAN2Discriminator'),
            adversarial=dict(type='NonSaturatingLoss', weight='$crop_adversarial_weight'),
            r1=dict(type='R1Penalty', weight='$crop_r1_weight', interval=16))))
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='adversarial', begin='$adversarial_begin', end='$adversarial_ramp', start=0.0),
    dict(type='LossRampHook', loss='adversarial_crops', begin='$adversarial_begin', end='$adversarial_ramp', start=0.0),
]
