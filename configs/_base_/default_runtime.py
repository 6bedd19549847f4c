# Settings of every run: logging, checkpoints, precision, seed.
default_scope = 'leokit'

default_hooks = dict(
    runtime_info=dict(type='LossWatchHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='AtomicCheckpointHook', interval=1000, max_keep_ckpts=2))

env_cfg = dict(
    # cuDNN's search takes minutes for batches of many sizes, as in evaluation
    cudnn_benchmark=False,
    # TF32 if the device supports it
    float32_matmul_precision='high',
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # for CUDA; on the CPU it is always gloo
    dist_cfg=dict(backend='nccl'))

log_processor = dict(by_epoch=False, window_size=50)
log_level = 'INFO'
# data order, augmentation and noise are functions of the seed, which a resumed run must keep
randomness = dict(seed=0)

load_from = None
resume = False
# refuse to test or validate on identities that a named model was trained on; False warns only
check_identities = True
