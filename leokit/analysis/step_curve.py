"""The quality of generated motion against the number of sampling steps, for models and samplers side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from leokit.datasets import MotionCodeDataset
from leokit.evaluation.runner_metrics import MotionStatistics
from leokit.evaluation.uncertainty import jackknife_std
from leokit.models import MotionDiffusion
from leokit.noise_schedulers import Prediction
from leokit.utils.modules import device_of
from leokit.utils.tables import markdown_score, markdown_table
from leokit.visualization.plots import figure_with_panels, save_figure

# keys of MotionStatistics and their titles; the first is the one that is compared with the reference
MEASURES = {'frechet-residuals_dt': 'FD of residuals', 'frechet-codes_dt': 'FD of codes',
            'jitter_ratio': 'jitter / real', 'dispersion_ratio': 'spread / real'}
MAIN = 'frechet-residuals_dt'
IDEAL = {'jitter_ratio': 1.0, 'dispersion_ratio': 1.0}
CHUNK = 1024  # sequences sampled at a time


@dataclass
class Point:
    """One number of steps of one sampler, for all trainings of a model.

    Attributes:
        model (str): Name of the model.
        sampler (str): Type of the sampler.
        steps (int): Sampling steps.
        evaluations (int): Evaluations of the network per sequence.
        values (dict): For each of :data:`MEASURES`, the value of every training.
        spread (dict): Standard error by the jackknife over sequences, of a single training.
    """

    model: str
    sampler: str
    steps: int
    evaluations: int = 0
    values: dict[str, list[float]] = field(default_factory=lambda: {key: [] for key in MEASURES})
    spread: dict[str, float | None] = field(default_factory=dict)

    def mean(self, key: str) -> float:
        """Mean over trainings."""
        return float(np.mean(self.values[key]))

    def error(self, key: str) -> float | None:
        """Standard error over trainings; of a single one, by the jackknife over sequences."""
        values = self.values[key]
        return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else self.spread.get(key)

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        numbers = {key: dict(mean=self.mean(key), error=self.error(key), values=self.values[key]) for key in MEASURES}
        return dict(model=self.model, sampler=self.sampler, steps=self.steps, evaluations=self.evaluations, **numbers)


def held_out_windows(codes_dir: str | Path, num_frames: int, *, split: str = 'test', limit: int = 4096) -> Tensor:
    """Windows of real codes that do not overlap, spread evenly over the videos, shape (B, T, N)."""
    data = MotionCodeDataset(codes_dir, num_frames, stride=num_frames, filters=dict(split=split))
    chosen = np.unique(np.linspace(0, len(data) - 1, min(limit, len(data))).astype(int))
    return torch.stack([item['inputs']['motion'] for item in data.__getitems__(chosen.tolist())])


class StepCurve:
    """Measures points one by one; all of them sample from the same first codes and the same noise.

    Args:
        windows (Tensor): Real codes, shape (B, T, N).
        seed (int): Seed of the noise.
    """

    def __init__(self, windows: Tensor, *, seed: int = 0) -> None:
        self.windows = windows
        self.seed = seed
        self.points: dict[tuple[str, str, int], Point] = {}

    def measure(self, name: str, models: Sequence[MotionDiffusion], sampler: str, steps: int) -> Point:
        """Sample and measure with every training of a model, and keep the point.

        Args:
            name (str): Name of the model.
            models (Sequence[MotionDiffusion]): Its trainings, such as those of several seeds.
            sampler (str): Type in SAMPLERS.
            steps (int): Sampling steps.
        """
        point = Point(name, sampler, steps)
        for model in models:
            options = dict(type=sampler, num_inference_steps=steps)
            generated, point.evaluations = self._sample(model, options), evaluations(model, options)
            metric = MotionStatistics()
            metric.process(None, [dict(generated=one, real=real) for one, real in zip(generated, self.windows)])
            results = metric.results
            measured = metric.compute_metrics(results)
            for key in MEASURES:
                point.values[key].append(measured[key])
            if len(models) == 1:
                point.spread = {key: _jackknife(metric, results, key) for key in MEASURES}
        self.points[name, sampler, steps] = point
        return point

    @torch.no_grad()
    def _sample(self, model: MotionDiffusion, sampler: dict[str, Any]) -> Tensor:
        """Generated codes (B, T, N) on the CPU."""
        frames = model.motion_condition.noised_frames(self.windows.shape[1])
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(len(self.windows), frames, model.motion_dim, generator=generator)
        device, parts = device_of(model), []
        for start, part in zip(self.windows[:, 0].split(CHUNK), noise.split(CHUNK)):
            parts.append(model.sample(start.to(device), self.windows.shape[1], noise=part.to(device),
                                      generator=generator, sampler=sampler).cpu())
        return torch.cat(parts)

    # ---- report --------------------------------------------------------------
    def table(self, reference: Point) -> str:
        """All points in Markdown; FD of residuals also relative to that of the reference."""
        rows = []
        for point in self.points.values():
            change = point.mean(MAIN) / reference.mean(MAIN) - 1
            rows.append([point.model, point.sampler.removesuffix('Sampler'), str(point.steps), str(point.evaluations),
                         *(markdown_score(point.mean(key), point.error(key)) for key in MEASURES), f'{change:+.0%}'])
        head = ['model', 'sampler', 'steps', 'evaluations', *MEASURES.values(),
                f'FD against {reference.model}, {reference.steps} steps']
        return markdown_table(head, rows)

    def plot(self, path: str | Path) -> None:
        """One panel per measure over the number of evaluations, one line per model and sampler."""
        figure, panels = figure_with_panels(len(MEASURES))
        lines: dict[tuple[str, str], list[Point]] = {}
        for point in self.points.values():
            lines.setdefault((point.model, point.sampler), []).append(point)
        for panel, (key, title) in zip(panels, MEASURES.items()):
            for (model, sampler), points in lines.items():
                points = sorted(points, key=lambda point: point.evaluations)
                panel.errorbar([point.evaluations for point in points], [point.mean(key) for point in points],
                               yerr=[point.error(key) or 0 for point in points], marker='o', markersize=3,
                               label=f'{model}, {sampler.removesuffix("Sampler")}')
            if key in IDEAL:
                panel.axhline(IDEAL[key], color='gray', linewidth=0.8)
            else:
                panel.set_yscale('log')
            panel.set(xlabel='evaluations of the network', ylabel=title, xscale='log')
        panels[0].legend(fontsize='x-small')
        save_figure(figure, path)


def evaluations(model: MotionDiffusion, sampler: dict[str, Any]) -> int:
    """Evaluations of the denoiser that a sampler makes for the process of a model."""
    calls: list[Tensor] = []

    def denoise(x: Tensor, t: Tensor) -> Prediction:
        calls.append(t)
        return Prediction(x, x)

    model.diffusion.sample(denoise, torch.zeros(1, 1, device=device_of(model)), sampler=sampler)
    return len(calls)


def _jackknife(metric: MotionStatistics, results: list[dict], key: str) -> float | None:
    """Standard error of a measure over sequences."""
    return jackknife_std(lambda rows: metric.compute_metrics([results[row] for row in rows.tolist()])[key],
                         torch.arange(len(results)))
