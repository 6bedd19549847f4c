# lia_few_faces_128_mixed.py with a guidance loss: a linear map must tell from the motion codes of a pair how the mouth
# changes, so that codes know mouths before the generator can paint them. `leokit data regions` writes the regions of
# the real faces and, with --ground-truth, those of SyntheticFaces. One GPU, 64 pairs, some minutes.
_base_ = './lia_few_faces_128_mixed.py'
regions = ['data/faces_regions.npz', 'data/synthetic_regions.npz']
expression_code_weight = 0.03

train_dataloader = dict(dataset=dict(regions='$regions'))
model = dict(
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='PerceptualLoss', weight='$perceptual_weight', backbone='$perceptual_backbone', num_scales=3),
            dict(type='WarpedSourceLoss', weight=1.0, warp_operator=dict(type='BilinearWarp', grid='$grid')),
            # mouths only: the eyes' boxes of SyntheticFaces do not follow the lids
            dict(type='ExpressionCodeLoss', motion_dim='$motion_dim', weight='$expression_code_weight',
                 weights=dict(mouth=1.0)),
        ]))
