"""Progressive distillation (arXiv 2202.00512, algorithm 2)."""

import torch
from torch import Tensor

from leokit.distillations.distillation import Distillation, ddim_step, step_times, velocity_between
from leokit.noise_schedulers import GaussianPath
from leokit.registry import DISTILLATIONS
from leokit.samplers import Denoiser
from leokit.utils import UserError


@DISTILLATIONS.register_module()
class ProgressiveDistillation(Distillation):
    """One DDIM step of the student does what several of the teacher do.

    The student is trained at the times of its own steps only; sample it with ``num_steps`` steps of
    ``DDIMSampler`` (or Euler, in flow matching) on the trailing grid. The paper halves the number of steps again and
    again, each student being the next teacher; a larger ``teacher_steps`` makes several halvings at once.

    Args:
        teacher (Mapping): See :class:`Distillation`.
        num_steps (int): Sampling steps of the student.
        teacher_steps (int): Steps of the teacher per step of the student; the paper takes 2.
    """

    def __init__(self, teacher: dict, *, num_steps: int, teacher_steps: int = 2) -> None:
        super().__init__(teacher)
        if num_steps < 1 or teacher_steps < 2:
            raise UserError('ProgressiveDistillation needs num_steps of 1 or more and teacher_steps of 2 or more, got '
                            f'{num_steps} and {teacher_steps}')
        self.num_steps = num_steps
        self.teacher_steps = teacher_steps

    def time_table(self, scheduler: GaussianPath) -> Tensor:
        total = self.num_steps * self.teacher_steps
        if total > scheduler.num_train_timesteps:
            raise UserError(f'{self.num_steps} steps of {self.teacher_steps} teacher steps each do not fit '
                            f'{scheduler.num_train_timesteps} diffusion times')
        times = step_times(scheduler, total)
        rows = torch.arange(0, total, self.teacher_steps)[:, None]
        return times[rows + torch.arange(self.teacher_steps + 1)]  # (num_steps, teacher_steps + 1)

    def target(self, teacher: Denoiser, student: Denoiser, scheduler: GaussianPath, x_t: Tensor,
               times: tuple[Tensor, ...]) -> Tensor:
        x = x_t
        for t, t_end in zip(times, times[1:]):
            x = ddim_step(teacher, x, t, t_end, scheduler)
        return velocity_between(x_t, x, times[0], times[-1], scheduler)
