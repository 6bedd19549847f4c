# Adam with a short warm-up and a cosine decay, in bfloat16, with an average of the weights for sampling.
max_iters = 200_000
warmup = 500
learning_rate = 2e-4
ema_decay = 0.9995

optim_wrapper = dict(
    type='AutocastOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(type='Adam', lr='$learning_rate', betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end='$warmup'),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin='$warmup', end='$max_iters', T_max='$max_iters'),
]
train_cfg = dict(type='ResumableTrainLoop', max_iters='$max_iters')
custom_hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay='$ema_decay')]
