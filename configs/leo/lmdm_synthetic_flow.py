# Stage 2 on SyntheticFaces by flow matching instead of DDPM: straight paths (arXiv 2210.02747), logit-normal times
# (arXiv 2403.03206) and ten Euler steps.
_base_ = './lmdm_synthetic.py'
model = dict(
    noise_scheduler=dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
    prediction_type='v',
    time_sampler=dict(type='LogitNormalTimeSampler'),
    sampler=dict(_delete_=True, type='EulerSampler', num_inference_steps=10))
