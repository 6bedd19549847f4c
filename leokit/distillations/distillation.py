"""The contract of a distillation, and what all distillations share: the frozen teacher and steps of DDIM.

A distillation replaces the denoising loss of a :class:`~leokit.models.MotionDiffusion` (``model.training.distillation``
of its config). The student has the teacher's forward process and starts from its weights (``load_from``). Only training
needs the teacher: it is not part of the student's state dict, and a trained student is loaded without it.

Both kinds of targets here are points of the teacher's trajectory through ``x_t``. They are expressed as the constant
velocity whose single DDIM step from ``x_t`` ends at that point, and compared with the student's velocity, which weights
all times about equally.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor

from leokit.noise_schedulers import GaussianPath, Prediction, broadcast_to_rank
from leokit.samplers import DDIMSampler, Denoiser, noise_source, trailing_grid
from leokit.utils import UserError
from leokit.utils.batch_random import own_rows
from leokit.utils.modules import device_of

if TYPE_CHECKING:
    from leokit.models import MotionDiffusion
    from leokit.models.motion_conditioning import Given

_DDIM = DDIMSampler()


class Distillation(ABC):
    """Base of the distillations.

    Args:
        teacher (Mapping): ``config`` and ``checkpoint`` of a trained motion diffusion, as :func:`leokit.load` takes
            them.
    """

    def __init__(self, teacher: Mapping[str, Any]) -> None:
        unknown = set(teacher) - {'config', 'checkpoint'}
        if unknown or not teacher.get('checkpoint'):
            raise UserError('training.distillation.teacher must be dict(config=..., checkpoint=...), a trained motion '
                            f'diffusion; got {dict(teacher)}')
        self.source = dict(teacher)
        self._teacher: MotionDiffusion | None = None
        self._compile_options: dict[str, Any] | None = None
        self._table: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_teacher': None, '_table': None}  # loaded anew where it is needed

    @torch.compiler.disable
    def teacher(self, student: 'MotionDiffusion') -> 'MotionDiffusion':
        """The frozen teacher on the student's device; loaded at the first call."""
        if self._teacher is None:
            from leokit.inference import load  # builds on the models
            from leokit.models import MotionDiffusion
            name, checkpoint = self.source.get('config'), self.source['checkpoint']
            teacher = load(*((name, checkpoint) if name else (checkpoint,)), device=device_of(student),
                           expect=MotionDiffusion)
            check_pair(teacher, student)
            self._teacher = teacher.requires_grad_(False)
            if self._compile_options is not None:
                teacher.backbone.compile(**self._compile_options)
        return self._teacher

    def compile_teacher(self, **options: Any) -> None:
        """Compile the teacher's backbone when it is loaded, with options of ``torch.compile``."""
        self._compile_options = options

    def loss(self, student: 'MotionDiffusion', x0: Tensor, given: 'Given', *, counted: Tensor | None = None,
             generator: Generator | None = None) -> Tensor:
        """The distillation loss at random times, with random noise.

        Args:
            student (MotionDiffusion): The model under training.
            x0 (Tensor): The noised variable of real sequences, shape (B, T', N).
            given (Given): Their conditions; the teacher is guided by them with its own scales.
            counted (Tensor, optional): True in frames of ``x0`` that count, bool, shape (B, T').
            generator (Generator, optional): Source of times and noise; torch's global one by default.

        Returns:
            Tensor: Mean squared error of the velocity, a scalar.
        """
        teacher, scheduler = self.teacher(student), student.diffusion.scheduler
        guided = teacher.conditioning.guided(teacher.diffusion.denoiser, teacher.backbone, given)
        denoise = student.diffusion.denoiser(student.conditioning.network(student.backbone, given))
        times = self.sample_times(scheduler, len(x0), device=x0.device, generator=generator)
        x_t = scheduler.add_noise(x0, noise_source(generator)(x0), times[0])
        with torch.no_grad():
            target = self.target(guided, denoise, scheduler, x_t, times)
        velocity = scheduler.velocity(*denoise(x_t, times[0]), times[0])
        errors = (velocity.float() - target.float()).square()
        if counted is None:
            return errors.mean()
        frames = counted.to(errors.dtype)
        return (errors.mean(-1) * frames).sum() / frames.sum().clamp_min(1)

    def sample_times(self, scheduler: GaussianPath, count: int, *, device: torch.device,
                     generator: Generator | None = None) -> tuple[Tensor, ...]:
        """Random rows of :meth:`time_table`: one tensor (count,) per column."""
        if self._table is None or self._table.device != device:
            self._table = self.time_table(scheduler).to(device)  # once: a CUDA graph cannot copy from the host
        table = self._table
        if generator is None:
            rows = own_rows(lambda number: torch.randint(0, len(table), (number,), device=device), count)
        else:
            rows = torch.randint(0, len(table), (count,), generator=generator, device=generator.device).to(device)
        return table[rows].unbind(1)

    @abstractmethod
    def time_table(self, scheduler: GaussianPath) -> Tensor:
        """Decreasing times of the training steps, int64, shape (steps, columns); the first column is that of x_t."""

    @abstractmethod
    def target(self, teacher: Denoiser, student: Denoiser, scheduler: GaussianPath, x_t: Tensor,
               times: tuple[Tensor, ...]) -> Tensor:
        """The velocity that the student should predict.

        Args:
            teacher (Denoiser): The teacher.
            student (Denoiser): The student; no gradient flows through this call.
            scheduler (GaussianPath): The forward process of both.
            x_t (Tensor): Noisy samples, shape (B, ...).
            times (tuple[Tensor, ...]): Their rows of :meth:`time_table`, each of shape (B,).

        Returns:
            Tensor: Shaped like ``x_t``.
        """


def ddim_step(denoise: Denoiser, x: Tensor, t: Tensor, t_end: Tensor, scheduler: GaussianPath) -> Tensor:
    """One deterministic DDIM step from times ``t`` to ``t_end``, each (B,), which may differ within the batch."""
    return _DDIM.step(x, denoise(x, t), t, t_end, scheduler, noise_source=noise_source(), history=None)


def velocity_between(x_t: Tensor, x_end: Tensor, t: Tensor, t_end: Tensor, scheduler: GaussianPath) -> Tensor:
    """The velocity at ``x_t`` whose single DDIM step ends at ``x_end`` (arXiv 2202.00512, appendix G, as a velocity).

    Args:
        x_t (Tensor): Samples at ``t``, shape (B, ...).
        x_end (Tensor): Samples at ``t_end``, shaped like ``x_t``.
        t (Tensor): Times, shape (B,).
        t_end (Tensor): Earlier times, shape (B,); -1 is the data.
        scheduler (GaussianPath): The forward process.
    """
    signal, noise = scheduler.signal_level(t).sqrt(), scheduler.noise_level(t).sqrt()  # float64
    signal_end, noise_end = scheduler.signal_level(t_end).sqrt(), scheduler.noise_level(t_end).sqrt()
    # x_end = signal_end x0 + noise_end eps and x_t = signal x0 + noise eps, solved for x0 and eps
    area = signal_end * noise - noise_end * signal

    def scaled(coefficient: Tensor, x: Tensor) -> Tensor:
        return broadcast_to_rank(coefficient / area, x) * x

    pair = Prediction(scaled(noise, x_end) - scaled(noise_end, x_t), scaled(signal_end, x_t) - scaled(signal, x_end))
    return scheduler.velocity(*pair, t)


def step_times(scheduler: GaussianPath, num_steps: int) -> Tensor:
    """The ``num_steps + 1`` times of a trailing grid, ending with the data (-1), int64."""
    return torch.tensor([*trailing_grid(scheduler.num_train_timesteps, num_steps), -1])


def check_pair(teacher: 'MotionDiffusion', student: 'MotionDiffusion') -> None:
    """Raise a :class:`UserError` unless both have the same process, condition and normalization."""
    ours, theirs = student.diffusion.scheduler, teacher.diffusion.scheduler
    times = [torch.arange(one.num_train_timesteps, device=device_of(one)) for one in (ours, theirs)]
    if len(times[0]) != len(times[1]) or not torch.equal(ours.signal_level(times[0]), theirs.signal_level(times[1])) \
            or not torch.equal(ours.noise_level(times[0]), theirs.noise_level(times[1])):
        raise UserError('the student and the teacher of a distillation have different noise schedulers; set '
                        "noise_scheduler of the student to the teacher's")
    if type(teacher.motion_condition) is not type(student.motion_condition):
        raise UserError(f'the student has a {type(student.motion_condition).__name__} and its teacher a '
                        f'{type(teacher.motion_condition).__name__}; set motion_condition to that of the teacher')
    for name in ('mean', 'std', 'residual_std'):
        if not torch.equal(getattr(student.normalizer, name), getattr(teacher.normalizer, name)):
            raise UserError(f'the student of a distillation has another {name} of the codes than its teacher; start it '
                            "from the teacher's weights: set load_from to the teacher's checkpoint")
