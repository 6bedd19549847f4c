# LIA, section 4.1: Adam, learning rate 2e-3, total batch 32 on four GPUs. Generator and discriminator share the step.
max_iters = 800_000
val_interval = 10_000
learning_rate = 2e-3

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr='$learning_rate', betas=(0.5, 0.99)))
param_scheduler = []
train_cfg = dict(type='ResumableTrainLoop', max_iters='$max_iters', val_interval='$val_interval')
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='EMAHook', decay=0.999)]
