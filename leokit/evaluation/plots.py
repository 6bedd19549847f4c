"""Plots of result records: metrics over training steps, and metrics over the time of a video."""

from collections import defaultdict
from pathlib import Path
from typing import Sequence

from leokit.evaluation.comparison import differences
from leokit.evaluation.records import ResultRecord
from leokit.utils import UserError
from leokit.visualization.plots import figure_with_panels, marker, save_figure


def plot_steps(records: Sequence[ResultRecord], path: str | Path, *, allow_mixed: bool = False) -> None:
    """Plot metrics over training steps, one panel per metric and one line per model, with error bars.

    Args:
        records (Sequence[ResultRecord]): Scores; those without a step are ignored.
        path (str | Path): The image file; its suffix determines the format.
        allow_mixed (bool): Allow scores of different protocols in one panel.
    """
    kept = [record for record in records if record.run.step is not None and record.score.value is not None]
    if not kept:
        raise UserError('no result record has a training step; state it with leokit evaluate --step')
    panels = _group(kept, allow_mixed)
    figure, axes = figure_with_panels(len(panels))
    for axis, (metric, models) in zip(axes, panels.items()):
        for model, points in models.items():
            points.sort(key=lambda record: record.run.step)
            axis.errorbar([record.run.step for record in points], [record.score.value for record in points],
                          yerr=[record.score.std or 0 for record in points], marker='o', markersize=3, capsize=2,
                          label=model)
        axis.set(xlabel='training step', ylabel=metric)
        axis.legend(fontsize='small')
    save_figure(figure, path)


def plot_time(records: Sequence[ResultRecord], path: str | Path, *, allow_mixed: bool = False) -> None:
    """Plot the curves of metrics over time; arguments as in :func:`plot_steps`, records without a curve are ignored."""
    kept = [record for record in records if record.curve]
    if not kept:
        raise UserError('no result record has a curve over time; evaluate fvd_over_time or content_drift')
    panels = _group(kept, allow_mixed)
    figure, axes = figure_with_panels(len(panels))
    for axis, (metric, models) in zip(axes, panels.items()):
        for model, curves in models.items():
            for record in curves:
                # A value that could not be measured is null in the file, and a gap in the line.
                values = [float('nan') if value is None else value for value in record.curve['y']]
                axis.plot(record.curve['x'], values, marker=marker(len(values)), markersize=3, label=model)
        axis.set(xlabel=curves[0].curve['label'], ylabel=metric)
        axis.legend(fontsize='small')
    save_figure(figure, path)


def _group(records: Sequence[ResultRecord], allow_mixed: bool) -> dict[str, dict[str, list[ResultRecord]]]:
    """Records by metric and model."""
    panels: dict[str, dict[str, list[ResultRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        panels[record.metric][record.run.model or 'unnamed'].append(record)
    for metric, models in panels.items():
        differ = differences([record for points in models.values() for record in points])
        if differ and not allow_mixed:
            raise UserError(f'the scores of {metric} do not compare: they differ in {", ".join(differ)}; evaluate with '
                            'one protocol, or plot them anyway with --allow-mixed')
    return panels
