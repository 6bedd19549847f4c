# The motion diffusion of the quickstart: configs/leo/lmdm_synthetic.py made small and short for a CPU.
_base_ = '../leo/lmdm_synthetic.py'
data_root = 'work_dirs/quickstart/faces'
codes_dir = 'work_dirs/quickstart/codes'
animator = dict(config='configs/quickstart/animator.py', checkpoint='work_dirs/quickstart/animator')
sequences_per_batch = 64
max_iters = 900
learning_rate = 1e-3
model = dict(backbone=dict(channels=(64, 128, 128)))
default_hooks = dict(logger=dict(interval=100), checkpoint=dict(interval=500))
custom_hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.99)]
