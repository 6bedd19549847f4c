"""Curves of result records: a metric against training steps, a metric over the time of a video."""

from collections import defaultdict
from pathlib import Path
from typing import Sequence

from leokit.evaluation.comparison import differences
from leokit.evaluation.records import ResultRecord
from leokit.utils import UserError
from leokit.visualization.plots import figure_with_panels, marker, save_figure


def plot_steps(records: Sequence[ResultRecord], path: str | Path, *, allow_mixed: bool = False) -> None:
    """Draw every metric against the training step, one line a model, with error bars.

    Args:
        records (Sequence[ResultRecord]): Scores; those without a step are left out.
        path (str | Path): The picture; its suffix decides the format.
        allow_mixed (bool): Draw scores of different protocols into one panel.

    Raises:
        UserError: If no record has a step, or a panel would mix protocols.
    """
    kept = [record for record in records if record.run.step is not None and record.score.value is not None]
    if not kept:
        raise UserError('no result record has a training step; state it with leokit evaluate --step')
    lines = _group(kept, allow_mixed)
    figure, axes = figure_with_panels(len(lines))
    for axis, (metric, models) in zip(axes, lines.items()):
        for model, points in models.items():
            points.sort(key=lambda record: record.run.step)
            axis.errorbar([record.run.step for record in points], [record.score.value for record in points],
                          yerr=[record.score.std or 0 for record in points], marker='o', markersize=3, capsize=2,
                          label=model)
        axis.set(xlabel='training step', ylabel=metric)
        axis.legend(fontsize='small')
    save_figure(figure, path)


def plot_time(records: Sequence[ResultRecord], path: str | Path, *, allow_mixed: bool = False) -> None:
    """Draw the curve of every record that has one, one panel a metric, one line a model.

    Args:
        records (Sequence[ResultRecord]): Scores; those without a curve are left out.
        path (str | Path): The picture; its suffix decides the format.
        allow_mixed (bool): Draw scores of different protocols into one panel.

    Raises:
        UserError: If no record has a curve, or a panel would mix protocols.
    """
    kept = [record for record in records if record.curve]
    if not kept:
        raise UserError('no result record has a curve over time; measure fvd_over_time or content_drift')
    lines = _group(kept, allow_mixed)
    figure, axes = figure_with_panels(len(lines))
    for axis, (metric, models) in zip(axes, lines.items()):
        for model, curves in models.items():
            for record in curves:
                # A value that could not be measured is null in the file and a gap in the line.
                values = [float('nan') if value is None else value for value in record.curve['y']]
                axis.plot(record.curve['x'], values, marker=marker(len(values)), markersize=3, label=model)
        axis.set(xlabel=curves[0].curve['label'], ylabel=metric)
        axis.legend(fontsize='small')
    save_figure(figure, path)


def _group(records: Sequence[ResultRecord], allow_mixed: bool) -> dict[str, dict[str, list[ResultRecord]]]:
    lines: dict[str, dict[str, list[ResultRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        lines[record.metric][record.run.model or 'unnamed'].append(record)
    for metric, models in lines.items():
        differ = differences([record for points in models.values() for record in points])
        if differ and not allow_mixed:
            raise UserError(f'the scores of {metric} do not compare: they differ in {", ".join(differ)}; measure them '
                            'with one protocol, or draw them all the same with --allow-mixed')
    return lines
