# A student of configs/leo/lmdm_synthetic_flow.py by reflow (arXiv 2209.03003): trained on pairs of noise and the
# sequence that the teacher makes of it, whose paths are nearly straight. The student is as accurate as the solver that
# makes the pairs. Four Euler steps.
_base_ = './lmdm_synthetic_flow.py'
teacher = dict(config='configs/leo/lmdm_synthetic_flow.py', checkpoint='work_dirs/lmdm_synthetic_flow')
load_from = 'work_dirs/lmdm_synthetic_flow'
max_iters = 10_000
train_dataloader = dict(dataset=dict(
    type='TeacherPairDataset', teacher='$teacher', num_pairs=262_144,
    sampler=dict(type='DPMSolverPlusPlusSampler', num_inference_steps=50)))
model = dict(
    time_sampler=dict(_delete_=True, type='UniformTimeSampler'),
    sampler=dict(_delete_=True, type='EulerSampler', num_inference_steps=4))
