"""Settings, timing and reporting, common to all sections of the speed benchmark."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Callable

import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from leokit.engine import explain_build_errors
from leokit.inference.loading import TRAINING_KEY
from leokit.models import MotionDiffusion
from leokit.models.diffusion_model import DiffusionModel
from leokit.registry import MODELS
from leokit.utils import load_config
from leokit.utils.devices import check_device
from leokit.utils.timing import Timing, measure

TRAINING_COMPILE = dict(mode='reduce-overhead')  # the settings of leokit train --compile on one GPU
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """Settings of the benchmark.

    Attributes:
        device (str): ``'cpu'``, ``'cuda'``, ...
        amp (bool): Compute in bfloat16 mixed precision instead of float32.
        compile (bool): Compile the heavy parts.
        channels_last (bool): Channels-last memory layout.
        size (int): Width and height of the images.
        batch_size (int): Frames per batch when encoding and decoding.
        train_batch_size (int): Pairs per batch in stage-1 training.
        num_sequences (int): Sequences per batch in stage 2.
        num_frames (int): Codes per sequence in stage 2.
        updates (Sequence[str]): Updates of the weights in stage-2 training, ``'auto'``, ``'torch'`` or ``'fused'``.
        end_to_end_frames (int): Frames of the videos that are read and written.
        repeats (int): Timed runs of each entry; the median counts.
        warmup (int): Runs before them.
        animator_config (str): Config of stage 1.
        motion_diffusion_config (str): Config of stage 2.
        start_code_config (str): Config of the starting codes.
        start_frame_config (str): Config of the starting frames.
    """

    device: str = 'cpu'
    amp: bool = False
    compile: bool = False
    channels_last: bool = False
    size: int = 256
    batch_size: int = 64
    train_batch_size: int = 32
    num_sequences: int = 64
    num_frames: int = 20
    updates: Sequence[str] = ('auto',)
    end_to_end_frames: int = 512
    repeats: int = 10
    warmup: int = 3
    animator_config: str = 'lia_celebv_256'
    motion_diffusion_config: str = 'lmdm_celebv'
    start_code_config: str = 'start_code_celebv'
    start_frame_config: str = 'start_frame_celebv'


class SpeedBench:
    """Times work, prints the results and collects them in ``rows``.

    Args:
        options (SpeedOptions): The settings.
    """

    def __init__(self, options: SpeedOptions) -> None:
        self.options = options
        self.device = check_device(options.device)
        self.dtype = torch.bfloat16 if options.amp else torch.float32
        self.rows: list[dict[str, Any]] = []

    def autocast(self) -> AbstractContextManager:
        """Autocast to bfloat16; nothing for float32."""
        return torch.autocast(self.device.type, self.dtype) if self.options.amp else nullcontext()

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers, images in the chosen layout."""
        values = torch.randn(*shape, device=self.device)
        if len(shape) == 4 and self.options.channels_last:
            values = values.to(memory_format=torch.channels_last)
        return values

    def compiled(self, function: Callable, **settings: str) -> Callable:
        """The function, compiled with ``--compile``."""
        return torch.compile(function, **settings) if self.options.compile else function

    def time(self, work: Callable[[], object]) -> Timing:
        """Median time of ``work``."""
        if sys.stderr.isatty() and self.options.compile:
            print('compiling ...', end='\r', file=sys.stderr, flush=True)
        return measure(work, self.device, repeats=self.options.repeats, warmup=self.options.warmup)

    def report(self, name: str, timing: Timing, count: int, unit: str) -> None:
        """Add a rate."""
        memory = f'{timing.peak_memory / MIB:>8,.0f} MiB' if timing.peak_memory else ''
        row = dict(name=name, rate=count / timing.median, unit=f'{unit}/s', median_ms=1e3 * timing.median,
                   lowest_ms=1e3 * timing.lowest, highest_ms=1e3 * timing.highest, peak_mib=timing.peak_memory / MIB)
        self.rows.append(row)
        print(f'{name:<46}{row["rate"]:>12,.1f} {row["unit"]:<12}{row["median_ms"]:>10.2f} ms'
              f'  [{row["lowest_ms"]:.2f}, {row["highest_ms"]:.2f}]  {memory}', flush=True)

    def report_ratio(self, name: str, fast: Timing, plain: Timing) -> None:
        """Add the speedup of a fast operator over its plain reference."""
        row = dict(name=name, fast_ms=1e3 * fast.median, plain_ms=1e3 * plain.median, ratio=plain.median / fast.median)
        self.rows.append(row)
        print(f'{name:<46}{row["fast_ms"]:>10.3f} ms   plain {row["plain_ms"]:>10.3f} ms   '
              f'ratio {row["ratio"]:>7.2f}', flush=True)

    def build_animator(self, *, trainable: bool = False, training: bool = False,
                       compiled: bool | None = None) -> nn.Module:
        """The animator, compiled as leokit train does if it is to be trained.

        Args:
            trainable (bool): Build its losses and discriminator too.
            training (bool): Compile it for training.
            compiled (bool, optional): Compile it. Default: None, according to the options.
        """
        animator = _build_model(self.options.animator_config, dict(size=self.options.size), trainable=trainable)
        animator = animator.to(self.device)
        if self.options.channels_last:
            animator = animator.to(memory_format=torch.channels_last)
        if self.options.compile if compiled is None else compiled:
            animator.compile_parts(**TRAINING_COMPILE if training else {})
        return animator

    def build_motion_diffusion(self) -> MotionDiffusion:
        """The motion diffusion, with unit statistics."""
        return self.build_diffusion(self.options.motion_diffusion_config, num_frames=self.options.num_frames)

    def build_diffusion(self, config: str, **options: int) -> DiffusionModel:
        """A diffusion model of a config, with unit statistics."""
        model = _build_model(config, options).to(self.device)
        ones = torch.ones(model.motion_dim, device=self.device)
        model.normalizer.set_statistics(mean=0 * ones, std=ones, residual_std=ones)
        return model


def _build_model(path: str, options: dict[str, int], *, trainable: bool = False) -> nn.Module:
    config = load_config(path, options)
    init_default_scope(config.get('default_scope', 'leokit'))
    if not trainable:
        config.model.pop(TRAINING_KEY, None)
    with explain_build_errors(config):
        return MODELS.build(config.model)
