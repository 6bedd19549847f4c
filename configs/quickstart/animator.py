# The animator of the quickstart: configs/lia/lia_synthetic_64.py made narrow and short for a CPU. It shows the way,
# not the quality; docs/results has that.
_base_ = '../lia/lia_synthetic_64.py'
data_root = 'work_dirs/quickstart/faces'
channel_multiplier = 0.125
max_channels = 64
batch_size = 12
num_workers = 0
max_iters = 420
val_interval = 1000
train_dataloader = dict(persistent_workers=False, pin_memory=False)
val_dataloader = dict(persistent_workers=False)
test_dataloader = dict(persistent_workers=False)
optim_wrapper = dict(dtype='float32')
param_scheduler = []
default_hooks = dict(logger=dict(interval=30), checkpoint=dict(interval=200))
custom_hooks = [dict(type='EMAHook', decay=0.99)]
