# Adam at a constant rate, with an average of the weights for sampling.
max_iters = 200_000
val_interval = 10_000
learning_rate = 2e-4

# float32 unless --amp; unlike MMEngine's wrapper, this one clips gradients without device synchronization
optim_wrapper = dict(
    type='AutocastOptimWrapper', dtype='float32', optimizer=dict(type='Adam', lr='$learning_rate'),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500)]
train_cfg = dict(type='ResumableTrainLoop', max_iters='$max_iters', val_interval='$val_interval')
custom_hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.9995)]
