"""The distillation that docs/motion_diffusion.md shows, as it is written there."""

import re
from pathlib import Path

import torch
from distillations.gaussian import MEAN, exact_denoiser, levels

from leokit.distillations import Distillation, velocity_between
from leokit.distillations.distillation import ddim_step, step_times
from leokit.noise_schedulers import FlowMatchingScheduler
from leokit.registry import DISTILLATIONS

PAGE = Path(__file__).parents[2] / 'docs' / 'motion_diffusion.md'


def test_its_targets_are_exact_for_a_single_point():
    section = PAGE.read_text().partition('\n## Adding a distillation\n')[2].partition('\n## ')[0]
    code, = re.findall(r'```python\n(.*?)```', section, re.DOTALL)
    assert len(code.splitlines()) < 30
    names = dict(torch=torch, Distillation=Distillation, DISTILLATIONS=DISTILLATIONS, ddim_step=ddim_step,
                 step_times=step_times, velocity_between=velocity_between)
    try:
        exec(code, names)
    finally:
        DISTILLATIONS.module_dict.pop('MidpointDistillation', None)
    method, scheduler = names['MidpointDistillation'](dict(checkpoint='teacher')), FlowMatchingScheduler(1000)
    t, t_mid, t_end = times = method.time_table(scheduler).unbind(1)
    assert len(t) == 33 * 32 // 2 - 32 and bool(((t > t_mid) & (t_mid > t_end)).all())
    eps = torch.randn(len(t), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    signal, noise = levels(scheduler, t, eps)
    x_t = signal * MEAN + noise * eps
    target = method.target(exact_denoiser(scheduler, std=0.0), None, scheduler, x_t, times)
    assert torch.allclose(target, eps - MEAN, atol=1e-7)  # the velocity of straight paths
