# Students of 1 and 4 steps of a flow-matching teacher: reflow, progressive and consistency distillation. All start from
# the teacher's weights and have 256 sequences per batch.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Few steps by distillation'
flow = {steps: {
    'model.noise_scheduler': dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
    'model.prediction_type': 'v',
    'model.sampler': dict(_delete_=True, type='DDIMSampler', num_inference_steps=steps)} for steps in (
        1, 2, 4, 8, 10, 16, 50)}
solver = {'model.sampler': dict(_delete_=True, type='DPMSolverPlusPlusSampler', num_inference_steps=50)}
# the teacher of a student is the variant that it waits for
teacher = dict(config='{config}', checkpoint='{checkpoint}')
student = {'load_from': '{checkpoint}', 'learning_rate': 2e-4, 'sequences_per_batch': 256}
# on pairs that 50 steps of the teacher make; a batch of pairs is cheap, so the training is long
pairs = {**student, 'learning_rate': 4e-4, 'max_iters': 10_000, 'train_dataloader.dataset.type': 'TeacherPairDataset',
         'train_dataloader.dataset.teacher': teacher, 'train_dataloader.dataset.num_pairs': 131_072,
         'train_dataloader.dataset.sampler': dict(type='DPMSolverPlusPlusSampler', num_inference_steps=50)}
grid = {steps: {'model.time_sampler': dict(type='GridTimeSampler', num_steps=steps)} for steps in (1, 4)}
# the paper halves the steps again and again; here the first student makes two halvings at once
halvings = [(16, 'teacher, 50 steps', 4), (8, 'progressive, 16 steps', 2), (4, 'progressive, 8 steps', 2),
            (2, 'progressive, 4 steps', 2), (1, 'progressive, 2 steps', 2)]
variants = [
    dict(name='teacher, 50 steps', options=flow[50]),
    dict(name='teacher, 50 steps of DPM-Solver++', after='teacher, 50 steps', train=False,
         options={**flow[50], **solver}),
    dict(name='reflow, 4 steps', after='teacher, 50 steps', options={**flow[4], **pairs}),
    dict(name='reflow at 4 times, 4 steps', after='teacher, 50 steps', options={**flow[4], **pairs, **grid[4]}),
    dict(name='reflow at 1 time, 1 step', after='teacher, 50 steps', options={**flow[1], **pairs, **grid[1]}),
    *(dict(name=f'progressive, {steps} step{"s" * (steps > 1)}', after=before, options={
        **flow[steps], **student, 'max_iters': 3000, 'model.training': dict(distillation=dict(
            type='ProgressiveDistillation', teacher=teacher, num_steps=steps, teacher_steps=teacher_steps))})
      for steps, before, teacher_steps in halvings),
    dict(name='consistency, 4 steps', after='teacher, 50 steps', options={
        **flow[4], **student, 'max_iters': 6000, 'model.training': dict(distillation=dict(
            type='ConsistencyDistillation', teacher=teacher, segments=4, num_scales=48))}),
    dict(name='consistency, 1 step', after='consistency, 4 steps', options={
        **flow[1], **student, 'max_iters': 6000, 'model.training': dict(distillation=dict(
            type='ConsistencyDistillation', teacher=teacher, segments=1, num_scales=32))}),
    dict(name='reflow of DDIM, 4 steps', after='teacher, 50 steps', options={
        **flow[4], **pairs, 'train_dataloader.dataset.sampler': dict(type='DDIMSampler', num_inference_steps=50)}),
    dict(name='reflow, 1 step', after='reflow, 4 steps', train=False, options=flow[1]),
    dict(name='consistency, 1 step, sampled in 4', after='consistency, 1 step', train=False, options={
        **flow[4], 'model.sampler': dict(_delete_=True, type='ConsistencySampler', num_inference_steps=4)}),
    *(dict(name=f'teacher, {steps} step{"s" * (steps > 1)}', after='teacher, 50 steps', train=False,
           options=flow[steps]) for steps in (10, 4, 1)),
]
reference = 'teacher, 50 steps'
del flow, solver, teacher, student, pairs, grid, halvings
