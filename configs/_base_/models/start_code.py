# The starting-code model p(alpha_1) of LEO (arXiv 2305.03989, section 3.2): epsilon-prediction by an MLP over single
# codes. Together with the motion diffusion it generates motion unconditionally.
motion_dim = 20

model = dict(
    type='StartCodeDiffusion',
    motion_dim='$motion_dim',
    backbone=dict(type='MLPDenoiser'),
    noise_scheduler=dict(type='LinearNoiseScheduler', num_train_timesteps=1000),
    sampler=dict(type='DDIMSampler', num_inference_steps=50),
    prediction_type='epsilon')
