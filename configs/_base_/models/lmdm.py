# The latent motion diffusion model of LEO (arXiv 2305.03989, section 3.2): epsilon-prediction by a temporal 1D U-Net
# under the Linear Motion Condition.
motion_dim = 20
# How the windows of a long video are joined: Overlap, LastCode (the paper) or History; compared in
# docs/results/synthetic_faces.md
long_video = dict(type='Overlap')

model = dict(
    type='MotionDiffusion',
    motion_dim='$motion_dim',
    num_frames='$num_frames',
    backbone=dict(type='UNet1D'),
    noise_scheduler=dict(type='LinearNoiseScheduler', num_train_timesteps=1000),
    motion_condition=dict(type='LinearMotionCondition'),
    sampler=dict(type='DDIMSampler', num_inference_steps=50),
    prediction_type='epsilon',
    long_video='$long_video')
