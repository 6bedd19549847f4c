# The starting frame of LEO (arXiv 2305.03989, section 3.3): a conditional DDPM that samples x_1 given alpha_1.
# The network predicts the velocity, which is well conditioned at low and high noise, also in bfloat16.
motion_dim = 20
# scale of classifier-free guidance; above 1 the code is amplified, so that the frame has another code than the given
guidance = 1.0

model = dict(
    type='StartFrameDiffusion',
    size='$size',
    motion_dim='$motion_dim',
    # 26 million parameters; attention at 16x16 and 8x8 for 64x64 frames
    backbone=dict(
        type='UNet2D', channels=(96, 160, 256, 320), num_blocks=2, attention_levels=(2, 3), embedding_dim=384,
        dropout=0.1),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=1000),
    sampler=dict(type='DDIMSampler', num_inference_steps=50),
    prediction_type='v',
    guidance=dict(weight='$guidance', condition_dropout=0.1),
    data_preprocessor=dict(type='PixelPreprocessor', channels_last=True))
