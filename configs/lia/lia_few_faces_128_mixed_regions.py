# The second phase on real faces and SyntheticFaces, with losses on mouth and eyes as in lia_few_faces_128_regions.py in
# both halves, and the guidance loss of lia_few_faces_128_mixed_guided.py. It starts from lia_few_faces_128_mixed.py; to
# start from the guided animator, load_from=work_dirs/lia_few_faces_128_mixed_guided. One GPU, 64 pairs, some minutes.
_base_ = './lia_few_faces_128_mixed_expressions.py'
regions = ['data/faces_regions.npz', 'data/synthetic_regions.npz']
region_weight = 1.0
crop_weight = 0.003
expression_code_weight = 0.03

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
            # mouths only: the eyes' boxes of SyntheticFaces do not follow the lids
            dict(type='ExpressionCodeLoss', motion_dim='$motion_dim', weight='$expression_code_weight',
                 weights=dict(mouth=1.0)),
        ]))
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
    dict(type='LossRampHook', loss='face_crops', begin='$perceptual_begin', end='$perceptual_ramp', start=0.0),
]
