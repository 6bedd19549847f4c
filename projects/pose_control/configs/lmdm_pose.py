# Stage 2 on SyntheticFaces under a path of head poses, on the codes of the model leo_synthetic. Flow matching, so that
# ten steps suffice; small enough for a CPU.
_base_ = ['../../../configs/leo/lmdm_synthetic_128.py']
animator = dict(config='leo_synthetic/animator', checkpoint='leo_synthetic/animator')
controls = 'data/synthetic_faces_128_pose.npz'
control_dim = 3
control_encoder = dict(type='MLPControlEncoder', control_dim='$control_dim', dim=64)
sequences_per_batch = 64
max_iters = 2000
learning_rate = 1e-3

model = dict(
    backbone=dict(channels=(64, 64, 96), head_dim=32),
    noise_scheduler=dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
    prediction_type='v',
    time_sampler=dict(type='LogitNormalTimeSampler'),
    sampler=dict(_delete_=True, type='EulerSampler', num_inference_steps=10),
    conditioning=dict(control='$control_encoder', control_dropout=0.15))
train_dataloader = dict(dataset=dict(controls='$controls'))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False, begin=100, end='$max_iters', T_max='$max_iters')]
custom_hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.995)]
# without videos of generated clips; evaluate.py measures the control
val_cfg = None
