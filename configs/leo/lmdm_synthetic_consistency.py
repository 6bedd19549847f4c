# A student of configs/leo/lmdm_synthetic_flow.py in four steps by consistency distillation (arXiv 2303.01469) in as
# many segments (arXiv 2403.06807).
_base_ = './lmdm_synthetic_flow.py'
teacher = dict(config='configs/leo/lmdm_synthetic_flow.py', checkpoint='work_dirs/lmdm_synthetic_flow')
load_from = 'work_dirs/lmdm_synthetic_flow'
max_iters = 10_000
learning_rate = 2e-4
model = dict(
    training=dict(distillation=dict(type='ConsistencyDistillation', teacher='$teacher', segments=4, num_scales=48)),
    sampler=dict(_delete_=True, type='DDIMSampler', num_inference_steps=4))
