"""Compare long-video strategies in the space of motion codes: drift, jitter, window boundaries, recurrence.

All strategies get the same first codes, spaced evenly over the training windows, and the same noise.
"""

import ast
import time
from typing import Any, Mapping

import torch
from torch import Tensor

from leokit.datasets import MotionCodeDataset
from leokit.long_video import LongVideoStrategy
from leokit.metrics import dispersion, jitter, long_motion
from leokit.metrics.motion_statistics import JERK_ORDER
from leokit.models import MotionDiffusion
from leokit.registry import DATASETS, LONG_VIDEO
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError
from leokit.utils.modules import device_of
from leokit.utils.seeds import sample_seeds

MIN_SEGMENTS = 8
MIN_SEGMENT_FRAMES = 4
MAX_REAL_WINDOWS = 256
HEAD = ('strategy', 'boundary jerk', 'jitter', 'dispersion', 'mean', 'least', 'final drift', 'largest drift',
        'recurrence', 's')


def parse_strategy(text: str, num_frames: int) -> LongVideoStrategy:
    """Build a strategy from ``TYPE:KEY=VALUE,KEY=VALUE``.

    Args:
        text (str): For example ``History:context_frames=4,pull=0.5``.
        num_frames (int): Codes of a window.
    """
    name, _, options = text.partition(':')
    try:
        pairs = [option.split('=') for option in options.split(',') if option]
        settings = {key: _parse_value(value) for key, value in pairs}
    except (ValueError, SyntaxError) as error:
        raise UserError(f'the strategy {text!r} is not of the form TYPE:KEY=VALUE,KEY=VALUE') from error
    strategy = LONG_VIDEO.build(dict(type=name, **settings))
    required = min_new_codes(strategy)
    if num_frames - strategy.context_frames < required:
        raise UserError(f'the strategy {text!r} leaves {num_frames - strategy.context_frames} new codes to a window of '
                        f'{num_frames}, too few to tell a window boundary from the rest; lower its context_frames or '
                        f'overlap to {num_frames - required} or less')
    return strategy


def min_new_codes(strategy: LongVideoStrategy) -> int:
    """Codes that a window must add so that jerk at its boundaries can be compared with jerk within it."""
    return 1 + JERK_ORDER * (2 if strategy.pending_frames else 1)


class LongVideoComparison:
    """Generates long sequences with each strategy and measures them against real motion.

    Args:
        model (MotionDiffusion): The trained model.
        dataset (Mapping): Config of the motion-code dataset that the model was trained on.
        num_frames (int): Length of the sequences.
        num_sequences (int): Sequences per strategy.
        segments (int, optional): Equal parts of the time axis. By default 8, or more if a part would be longer than the
            longest real video.
        seed (int): Seed of the noise.
    """

    def __init__(self, model: MotionDiffusion, dataset: Mapping[str, Any], *, num_frames: int = 1024,
                 num_sequences: int = 32, segments: int | None = None, seed: int = 0) -> None:
        single = _windows(dataset, 1)
        if segments is None:  # the dispersion of codes depends on the length, so real motion of that length must exist
            segments = max(MIN_SEGMENTS, -(-num_frames // max(video.length for video in single.videos)))
        if num_frames <= 2 * model.num_frames or num_frames < MIN_SEGMENT_FRAMES * segments or segments < 2:
            raise UserError(f'--num-frames {num_frames} must be more than two windows of {model.num_frames} and hold 2 '
                            f'or more segments of at least {MIN_SEGMENT_FRAMES} frames')
        self.model = model
        self.num_frames = num_frames
        self.segments = segments
        self.seed = seed
        self.start = _evenly_spaced(single, num_sequences)[:, 0]  # (B, N)
        windows = _windows(dataset, num_frames // segments)
        real = _evenly_spaced(windows, min(MAX_REAL_WINDOWS, len(windows)))
        self.real_frames = real.shape[1]
        self.unit = dict(jitter=jitter(real).mean(), dispersion=dispersion(real, 1).mean())

    @property
    def caption(self) -> str:
        """Number and length of the sequences, and the units of the columns :data:`HEAD`."""
        return (f'{len(self.start)} sequences of {self.num_frames} frames in {self.segments} segments. Jitter and '
                f'dispersion of the first and the last segment, real windows of {self.real_frames} frames = 1; drift '
                'in units of the real dispersion.')

    def measure(self, strategy: LongVideoStrategy) -> dict[str, Any]:
        """Statistics of a strategy.

        Returns:
            dict: Those of :func:`~leokit.metrics.long_motion.long_motion`, with ``jitter`` and ``dispersion`` relative
            to real motion, ``relative_drift``, and ``seconds`` of the generation.
        """
        generators = generators_from_seeds(sample_seeds(self.seed, range(len(self.start))))
        began = time.perf_counter()
        chunks = [chunk.cpu() for chunk in self.model.extend(
            self.start.to(device_of(self.model)), self.num_frames, generator=generators, long_video=strategy)]
        seconds = time.perf_counter() - began
        boundaries = self.model.window_boundaries(self.num_frames, long_video=strategy)
        measured = long_motion(torch.cat(chunks, dim=1), boundaries, self.segments)
        return dict(measured, **{key: measured[key] / unit for key, unit in self.unit.items()},
                    relative_drift=measured['drift'] / self.unit['dispersion'], seconds=seconds)


def table_row(name: str, measured: Mapping[str, Any]) -> list[str]:
    """The cells of a strategy below :data:`HEAD`."""
    drift = measured['relative_drift']
    return [name, f'{measured["boundary_jerk_ratio"]:.2f}',
            *(f'{measured[key][0]:.2f} → {measured[key][-1]:.2f}' for key in ('jitter', 'dispersion')),
            f'{measured["dispersion"].mean():.2f}', f'{measured["dispersion"].min():.2f}',
            f'{drift[-1]:.2f}', f'{drift.max():.2f}', f'{measured["recurrence"]:.2f}', f'{measured["seconds"]:.1f}']


def _parse_value(text: str) -> int | float | str:
    """A number, else a word such as ``linear``."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        if text.isidentifier():
            return text
        raise


def _windows(dataset: Mapping[str, Any], num_frames: int) -> MotionCodeDataset:
    return DATASETS.build({**dataset, 'num_frames': num_frames})


def _evenly_spaced(dataset: MotionCodeDataset, count: int) -> Tensor:
    """Windows from all over the data, shape (count, T, N)."""
    indices = torch.linspace(0, len(dataset) - 1, count).long().tolist()
    return torch.stack([item['inputs']['motion'] for item in dataset.__getitems__(indices)])
