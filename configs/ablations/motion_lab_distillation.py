# Students of 1 and 4 steps of a flow-matching teacher: reflow, progressive and consistency distillation. Every student
# starts from the teacher's weights.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Few steps by distillation'
base = 'configs/leo/lmdm_synthetic_128.py'
flow = {'model.noise_scheduler': dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
        'model.prediction_type': 'v'}
teacher = dict(config='{config}', checkpoint='{checkpoint}')


def steps(count, sampler='DDIMSampler'):
    return {**flow, 'model.sampler': dict(_delete_=True, type=sampler, num_inference_steps=count)}


def student(count, **method):
    return {**steps(count), 'load_from': '{checkpoint}', 'learning_rate': 2e-4,
            'model.training': dict(distillation=dict(teacher=teacher, **method))}


variants = [
    dict(name='teacher, 50 steps', options=flow),
    dict(name='reflow, 4 steps', after='teacher, 50 steps', options={
        **steps(4), 'load_from': '{checkpoint}', 'learning_rate': 2e-4,
        'train_dataloader.dataset.type': 'TeacherPairDataset', 'train_dataloader.dataset.teacher': teacher}),
    dict(name='progressive, 4 steps', after='teacher, 50 steps', options=student(
        4, type='ProgressiveDistillation', num_steps=4, teacher_steps=12)),
    dict(name='consistency, 4 steps', after='teacher, 50 steps', options=student(
        4, type='ConsistencyDistillation', segments=4, num_scales=48)),
    dict(name='progressive, 1 step', after='progressive, 4 steps', options=student(
        1, type='ProgressiveDistillation', num_steps=1, teacher_steps=4)),
    dict(name='consistency, 1 step', after='consistency, 4 steps', options=student(
        1, type='ConsistencyDistillation', segments=1, num_scales=32)),
    dict(name='reflow, 1 step', after='reflow, 4 steps', train=False, options=steps(1)),
    dict(name='consistency, 1 step, sampled in 4', after='consistency, 1 step', train=False, options=steps(
        4, 'ConsistencySampler')),
    dict(name='teacher, 10 steps', after='teacher, 50 steps', train=False, options=steps(10)),
    dict(name='teacher, 4 steps', after='teacher, 50 steps', train=False, options=steps(4)),
    dict(name='teacher, 1 step', after='teacher, 50 steps', train=False, options=steps(1)),
]
reference = 'teacher, 50 steps'
del flow, teacher, steps, student
