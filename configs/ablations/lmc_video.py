# The ablation of configs/ablations/lmc.py on video: one clip per held-out clip, generated from its first frame.
_base_ = './lmc.py'
title = 'The Linear Motion Condition on SyntheticFaces'
metrics = [
    dict(key='motion/frechet-residuals_dt', label='FD of residuals'),
    dict(key='video/fvd-efficientnet_lite0_dt@16x1', label='FVD, stand-in'),
]
curves = ['loss_diffusion']
options = dict(_delete_=True)
