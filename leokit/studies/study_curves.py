"""Training curves of a study: one line per variant, the mean over its seeds."""

from pathlib import Path
from typing import Sequence

import numpy as np

from leokit.studies.runs import Run
from leokit.studies.study import Study
from leokit.studies.training_log import read_scalars
from leokit.visualization.plots import figure_with_panels, marker, save_figure


def plot_study(study: Study, runs: Sequence[Run], path: str | Path) -> bool:
    """Plot the logged keys ``study.curves``, one panel per key, with the standard error over seeds as a band.

    Args:
        study (Study): The study.
        runs (Sequence[Run]): Its runs; runs that logged nothing are skipped.
        path (str | Path): Output file.

    Returns:
        bool: False, and no file, if none of the keys was logged.
    """
    logs = [(run.variant.name, read_scalars(run.folder / 'train')) for run in runs]
    keys = [key for key in study.curves if any(key in log for _, log in logs)]
    if not keys:
        return False
    figure, panels = figure_with_panels(len(keys))
    for panel, key in zip(panels, keys):
        for variant in study.variants:
            steps, mean, error = mean_curve([log[key] for name, log in logs if name == variant.name and key in log])
            if len(steps):
                line, = panel.plot(steps, mean, label=variant.name, marker=marker(len(steps)), markersize=3)
                panel.fill_between(steps, mean - error, mean + error, color=line.get_color(), alpha=0.2, linewidth=0)
        panel.set(xlabel='iteration', ylabel=key)
        panel.legend(fontsize='small')
    save_figure(figure, path)
    return True


def mean_curve(curves: Sequence[dict[float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard error of curves at the steps that all of them have.

    Args:
        curves (Sequence[dict]): Value by step.

    Returns:
        tuple: Steps, means, standard errors (0 for one curve), each of shape (n,).
    """
    steps = sorted(set.intersection(*map(set, curves))) if curves else []
    if not steps:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    values = np.array([[curve[step] for step in steps] for curve in curves])  # (curves, steps)
    error = values.std(0, ddof=1) / len(curves)**0.5 if len(curves) > 1 else np.zeros(len(steps))
    return np.array(steps), values.mean(0), error
