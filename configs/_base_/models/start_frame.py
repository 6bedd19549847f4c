# The starting frame of LEO (arXiv 2305.03989, section 3.3): a conditional DDPM that draws x_1 given alpha_1. The
# network predicts the velocity, which trains as well at the noisy end as at the clean one, also in bfloat16.
motion_dim = 20
# 1 follows the codes as they are; more overstates them, so that the frame shows another code than the one asked for
guidance = 1.0

model = dict(
    type='StartFrameDiffusion',
    size='$size',
    motion_dim='$motion_dim',
    # 26 million weights; attention at sides 16 and 8 of a frame of 64
    backbone=dict(
        type='UNet2D', channels=(96, 160, 256, 320), num_blocks=2, attention_levels=(2, 3), embedding_dim=384,
        dropout=0.1),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=1000),
    sampler=dict(type='DDIMSampler', num_inference_steps=50),
    prediction_type='v',
    guidance=dict(weight='$guidance', condition_dropout=0.1),
    data_preprocessor=dict(type='PixelPreprocessor', channels_last=True))
