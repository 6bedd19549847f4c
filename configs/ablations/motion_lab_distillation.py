# Students of 1 and 4 steps of a flow-matching teacher: reflow, progressive and consistency distillation. Every student
# starts from the teacher's weights.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Few steps by distillation'
flow = {'model.noise_scheduler': dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
        'model.prediction_type': 'v'}
one, four, ten = ({**flow, 'model.sampler': dict(_delete_=True, type='DDIMSampler', num_inference_steps=steps)}
                  for steps in (1, 4, 10))
# the teacher of a student is the variant that it waits for
teacher = dict(config='{config}', checkpoint='{checkpoint}')
student = {'load_from': '{checkpoint}', 'learning_rate': 2e-4}
variants = [
    dict(name='teacher, 50 steps', options=flow),
    dict(name='reflow, 4 steps', after='teacher, 50 steps', options={
        **four, **student, 'train_dataloader.dataset.type': 'TeacherPairDataset',
        'train_dataloader.dataset.teacher': teacher}),
    dict(name='progressive, 4 steps', after='teacher, 50 steps', options={
        **four, **student, 'model.training': dict(distillation=dict(
            type='ProgressiveDistillation', teacher=teacher, num_steps=4, teacher_steps=12))}),
    dict(name='consistency, 4 steps', after='teacher, 50 steps', options={
        **four, **student, 'model.training': dict(distillation=dict(
            type='ConsistencyDistillation', teacher=teacher, segments=4, num_scales=48))}),
    dict(name='progressive, 1 step', after='progressive, 4 steps', options={
        **one, **student, 'model.training': dict(distillation=dict(
            type='ProgressiveDistillation', teacher=teacher, num_steps=1, teacher_steps=4))}),
    dict(name='consistency, 1 step', after='consistency, 4 steps', options={
        **one, **student, 'model.training': dict(distillation=dict(
            type='ConsistencyDistillation', teacher=teacher, segments=1, num_scales=32))}),
    dict(name='reflow, 1 step', after='reflow, 4 steps', train=False, options=one),
    dict(name='consistency, 1 step, sampled in 4', after='consistency, 1 step', train=False, options={
        **flow, 'model.sampler': dict(_delete_=True, type='ConsistencySampler', num_inference_steps=4)}),
    dict(name='teacher, 10 steps', after='teacher, 50 steps', train=False, options=ten),
    dict(name='teacher, 4 steps', after='teacher, 50 steps', train=False, options=four),
    dict(name='teacher, 1 step', after='teacher, 50 steps', train=False, options=one),
]
reference = 'teacher, 50 steps'
del flow, one, four, ten, teacher, student
