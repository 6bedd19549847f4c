# The starting frame of few bodies at 128x128, given codes from the cache of configs/leo/lmdm_few_bodies.py. Some of the
# frames will be those of the training, as these are few. One GPU, 128 frames, bfloat16, some minutes with --compile.
_base_ = './start_frame_synthetic_128.py'
data_root = 'data/bodies'
animator = dict(
    config='configs/lia/lia_few_bodies_128_inpaint.py', checkpoint='work_dirs/lia_few_bodies_128_inpaint')
held_out = []
train_filters = dict(_delete_=True, exclude_identities='$held_out')
held_out_filters = dict(_delete_=True, identities='$held_out')
train_dataloader = dict(dataset=dict(weighting='identity'))
