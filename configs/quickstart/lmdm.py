# The motion diffusion of the quickstart: configs/leo/lmdm_synthetic.py, small and short for a CPU.
_base_ = ['../leo/lmdm_synthetic.py']
data_root = 'work_dirs/quickstart/faces'
# the config that the training of the animator saves
animator = dict(config='work_dirs/quickstart/animator/animator.py', checkpoint='work_dirs/quickstart/animator')
sequences_per_batch = 32
max_iters = 600
learning_rate = 1e-3
# at the resolution of the quickstart's videos, because resizing them would take most of the time
protocol = dict(_delete_=True, base='quick', name='quickstart', frames=dict(resolution=64))
model = dict(backbone=dict(channels=(64, 64, 128)))
default_hooks = dict(logger=dict(interval=100), checkpoint=dict(interval=500))
custom_hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.99)]
# no validation, only a test after the training
val_cfg = val_dataloader = val_evaluator = None
test_dataloader = dict(num_workers=0)
