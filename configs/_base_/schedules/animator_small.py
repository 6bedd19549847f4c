# The schedule of animators that train in minutes on one GPU: bfloat16, a short warm-up and a cosine decay. The weight
# of the perceptual loss increases over the first iterations, so that the network learns motion first.
_base_ = './animator.py'
warmup = 200
# the iteration from which the perceptual loss has its full weight
perceptual_ramp = 2_000
val_interval = 1_000

optim_wrapper = dict(_delete_=True, type='AutocastOptimWrapper', dtype='bfloat16',
                     optimizer=dict(type='Adam', lr='$learning_rate', betas=(0.9, 0.99)))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end='$warmup'),
    dict(type='CosineAnnealingLR', eta_min=2e-5, by_epoch=False, begin='$warmup', end='$max_iters', T_max='$max_iters'),
]
custom_hooks = [
    dict(type='EMAHook', decay=0.999),
    dict(type='LossRampHook', loss='perceptual', end='$perceptual_ramp'),
]
