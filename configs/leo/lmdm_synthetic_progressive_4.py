# A student of configs/leo/lmdm_synthetic_flow.py in four steps by progressive distillation (arXiv 2202.00512).
_base_ = './lmdm_synthetic_flow.py'
teacher = dict(config='configs/leo/lmdm_synthetic_flow.py', checkpoint='work_dirs/lmdm_synthetic_flow')
load_from = 'work_dirs/lmdm_synthetic_flow'
max_iters = 10_000
learning_rate = 2e-4
model = dict(
    training=dict(distillation=dict(type='ProgressiveDistillation', teacher='$teacher', num_steps=4, teacher_steps=12)),
    sampler=dict(_delete_=True, type='DDIMSampler', num_inference_steps=4))
