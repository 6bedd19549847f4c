# Second phase as in lia_few_faces_128_expressions.py, with losses on mouth and eyes: a pixel loss averaged over each
# region, from the start, and deep features of crops, as late as those of the frame. `leokit data regions` writes the
# file with the regions. One GPU, 64 pairs, some minutes.
_base_ = './lia_few_faces_128_expressions.py'
regions = ['data/faces_regions.npz']
region_weight = 1.0
crop_weight = 0.003

train_dataloader = dict(dataset=dict(regions='$regions'))
model = dict(
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='ChangedPixelLoss', weight=2.0),
            dict(type='PerceptualLoss', weight='$perceptual_weight', backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=0.5, warp_operator=dict(type='BilinearWarp', grid='$grid')),
            dict(type='FaceRegionLoss', weight='$region_weight', weights=dict(mouth=1.0, eyes=1.0)),
            dict(type='FaceCropPerceptualLoss', weight='$crop_weight', backbone='$perceptual_backbone'),
        ]))
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
    dict(type='LossRampHook', loss='face_crops', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
]
