"""Consistency distillation (arXiv 2303.01469, algorithm 2), over one or several segments (arXiv 2403.06807)."""

import torch
from torch import Tensor

from leokit.distillations.distillation import Distillation, ddim_step, step_times, velocity_between
from leokit.noise_schedulers import GaussianPath
from leokit.registry import DISTILLATIONS
from leokit.samplers import Denoiser
from leokit.utils import UserError


@DISTILLATIONS.register_module()
class ConsistencyDistillation(Distillation):
    """A DDIM step of the student from anywhere on a trajectory to the end of its segment ends at the same point.

    The target of a time is the student's own step from the next time, to which one DDIM step of the teacher leads; at
    the end of a segment it is the teacher's point. The target network is the student itself without gradient (arXiv
    2310.14189, section 3.2), not an average of it. With one segment, every time maps to the data: sample with one step,
    or with more of ``ConsistencySampler``. With several, sample with that many steps of ``DDIMSampler``.

    Args:
        teacher (Mapping): See :class:`Distillation`.
        segments (int): Parts of the time axis.
        num_scales (int): Steps of the teacher on the whole axis, a multiple of ``segments``.
    """

    def __init__(self, teacher: dict, *, segments: int = 1, num_scales: int = 64) -> None:
        super().__init__(teacher)
        if segments < 1 or num_scales < 2 * segments or num_scales % segments:
            raise UserError('ConsistencyDistillation needs num_scales to be a multiple of segments, and at least twice '
                            f'as many; got num_scales={num_scales} and segments={segments}')
        self.segments = segments
        self.num_scales = num_scales

    def time_table(self, scheduler: GaussianPath) -> Tensor:
        if self.num_scales > scheduler.num_train_timesteps:
            raise UserError(f'num_scales={self.num_scales} is more than the {scheduler.num_train_timesteps} diffusion '
                            'times')
        times, length = step_times(scheduler, self.num_scales), self.num_scales // self.segments
        ends = times[length::length].repeat_interleave(length)
        return torch.stack([times[:-1], times[1:], ends], dim=1)  # (num_scales, 3)

    def target(self, teacher: Denoiser, student: Denoiser, scheduler: GaussianPath, x_t: Tensor,
               times: tuple[Tensor, ...]) -> Tensor:
        t, t_next, t_end = times
        x_next = ddim_step(teacher, x_t, t, t_next, scheduler)
        # the network is not defined at the data; there the step is not taken
        x_end = ddim_step(student, x_next, t_next.clamp_min(0), t_end, scheduler)
        arrived = (t_next == t_end).reshape(-1, *[1] * (x_t.ndim - 1))
        return velocity_between(x_t, torch.where(arrived, x_next, x_end), t, t_end, scheduler)
