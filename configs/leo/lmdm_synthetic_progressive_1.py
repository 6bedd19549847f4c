# One step by progressive distillation (arXiv 2202.00512), from the student of four steps.
_base_ = './lmdm_synthetic_progressive_4.py'
teacher = dict(
    config='configs/leo/lmdm_synthetic_progressive_4.py', checkpoint='work_dirs/lmdm_synthetic_progressive_4')
load_from = 'work_dirs/lmdm_synthetic_progressive_4'
model = dict(
    training=dict(distillation=dict(num_steps=1, teacher_steps=4)), sampler=dict(num_inference_steps=1))
