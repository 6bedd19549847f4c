# The animator of the quickstart: configs/lia/lia_synthetic_64.py, narrow and short for a CPU. It demonstrates the
# procedure, not the quality; see docs/results. No perceptual loss: more pairs in the same time improve it more.
_base_ = '../lia/lia_synthetic_64.py'
data_root = 'work_dirs/quickstart/faces'
channel_multiplier = 0.0625
max_channels = 32
batch_size = 16
num_workers = 0
max_iters = 720
val_interval = 10_000
learning_rate = 4e-3
warmup = 20
train_dataloader = dict(persistent_workers=False, pin_memory=False)
val_dataloader = dict(persistent_workers=False)
test_dataloader = dict(persistent_workers=False)
model = dict(
    data_preprocessor=dict(transforms=[dict(type='PairedFlip')]),
    training=dict(_delete_=True, losses=[
        dict(type='L1Loss', weight=1.0),
        dict(type='WarpedSourceLoss', weight=1.0, warp_operator=dict(type='BilinearWarp', grid='$grid')),
    ]))
optim_wrapper = dict(dtype='float32')
default_hooks = dict(logger=dict(interval=100), checkpoint=dict(interval=500))
custom_hooks = [dict(type='EMAHook', decay=0.98)]
