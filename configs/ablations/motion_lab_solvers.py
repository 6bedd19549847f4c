# Solvers and numbers of steps, on a model of DDPM and on one of flow matching: two trainings, tested with every solver.
# leokit analyze few-steps draws the whole curve.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Solver and steps'
flow = {'model.noise_scheduler': dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000),
        'model.prediction_type': 'v'}
solvers = [('DDIM', 'DDIMSampler', (20, 10, 5)), ('DPM++', 'DPMSolverPlusPlusSampler', (50, 20, 10, 5)),
           ('Heun', 'HeunSampler', (25, 10, 5)), ('DDPM', 'DDPMSampler', (50, ))]
variants = [
    dict(name='linear, DDIM 50'),
    dict(name='flow, DDIM 50', options=flow),
    *(dict(name=f'{process}, {solver} {steps}', after=f'{process}, DDIM 50', train=False, options={
        **options, 'model.sampler': dict(_delete_=True, type=kind, num_inference_steps=steps)})
      for process, options in (('linear', {}), ('flow', flow)) for solver, kind, counts in solvers for steps in counts
      if (process, solver) != ('flow', 'DDPM')),
]
reference = 'linear, DDIM 50'
del flow, solvers
