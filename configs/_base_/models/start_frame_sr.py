# The second stage of the starting frame: super-resolution of the frame of the first stage (cascaded diffusion, arXiv
# 2106.15282, sections 2 and 4). `low_size` is the size of the first stage.
motion_dim = 20
guidance = 1.0
low_size = 64

model = dict(
    type='StartFrameDiffusion',
    size='$size',
    motion_dim='$motion_dim',
    # 32 million parameters, most of them at the coarse levels; attention at 16x16 for 256x256 frames
    backbone=dict(
        type='UNet2D', channels=(64, 96, 128, 256, 384), num_blocks=2, attention_levels=(4,), embedding_dim=384),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=1000),
    sampler=dict(type='DDIMSampler', num_inference_steps=50),
    prediction_type='v',
    guidance=dict(weight='$guidance', condition_dropout=0.1),
    low=dict(size='$low_size', noise=0.2),
    data_preprocessor=dict(type='PixelPreprocessor', channels_last=True))
