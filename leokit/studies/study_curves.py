"""Training curves of a study: one line a variant, the mean over its seeds."""

import io
from pathlib import Path
from typing import Sequence

import numpy as np

from leokit.studies.runs import Run
from leokit.studies.study import Study
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.visualization.curves import read_scalars

WIDTH, HEIGHT = 6.0, 3.4  # inches of one panel


def plot_study(study: Study, runs: Sequence[Run], path: str | Path) -> bool:
    """Draw the keys ``study.curves`` of the training logs, at the steps that all seeds of a variant logged.

    Args:
        study (Study): The study.
        runs (Sequence[Run]): Its runs; those without a log are left out.
        path (str | Path): The PNG file.

    Returns:
        bool: Whether there was anything to draw.
    """
    logs = [(run.variant.name, read_scalars(run.folder / 'train')) for run in runs
            if any((run.folder / 'train').glob('**/vis_data/scalars.json'))]
    panels = [key for key in study.curves if any(key in log for _, log in logs)]
    if not panels:
        return False
    # not pyplot: it keeps figures in a global list and asks for a display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(WIDTH, HEIGHT * len(panels)), layout='constrained')
    canvas = FigureCanvasAgg(figure)
    for axis, key in zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels):
        for variant in study.variants:
            curves = [log[key] for name, log in logs if name == variant.name and key in log]
            steps, mean, error = mean_curve(curves)
            if len(steps):
                marker = 'o' if len(steps) < 30 else None
                line, = axis.plot(steps, mean, label=variant.name, marker=marker, markersize=3)
                axis.fill_between(steps, mean - error, mean + error, color=line.get_color(), alpha=0.2, linewidth=0)
        axis.set(xlabel='iteration', ylabel=key)
        axis.legend(fontsize='small')
    content = io.BytesIO()
    canvas.print_png(content)
    with clear_write_errors(path):
        write_bytes(path, content.getvalue())
    return True


def mean_curve(curves: Sequence[dict[float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard error of curves at the steps that all of them have.

    Args:
        curves (Sequence[dict]): Value by step.

    Returns:
        tuple: Steps, means, standard errors (0 for one curve), shape (n,) each.
    """
    steps = sorted(set.intersection(*map(set, curves))) if curves else []
    values = np.array([[curve[step] for step in steps] for curve in curves]).reshape(len(curves), len(steps))
    if not steps:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    error = values.std(0, ddof=1) / len(curves)**0.5 if len(curves) > 1 else np.zeros(len(steps))
    return np.array(steps), values.mean(0), error
