"""Training curves from the logs that a run leaves."""

import csv
import io
import json
from pathlib import Path
from typing import Iterable, Mapping, Sequence

from leokit.utils import UserError
from leokit.utils.files import clear_write_errors, write_bytes

STEP_KEYS = ('step', 'iter')
# Clockwork of the loop, drawn only when asked for.
UNINTERESTING = frozenset({'step', 'iter', 'epoch', 'time', 'data_time', 'memory', 'eta', 'lr', 'base_lr', 'momentum'})
PANEL_WIDTH, PANEL_HEIGHT, MAX_COLUMNS = 4.6, 3.0, 3  # inches, panels in a row

Curves = dict[str, dict[float, float]]


def read_scalars(path: str | Path) -> Curves:
    """Read the numbers that a run logged.

    Args:
        path (str | Path): A ``scalars.json`` of MMEngine (one JSON object a line), a ``.csv`` with a column ``step`` or
            ``iter``, or a work directory: then all ``vis_data/scalars.json`` below it, in the order of their names,
            so that a resumed run is one curve.

    Returns:
        dict[str, dict[float, float]]: For each key, value by step, in the order of the steps.

    Raises:
        UserError: If there is no log, or a line of it is none (a half last line of a killed run is passed over).
    """
    path = Path(path)
    files = sorted(path.glob('**/vis_data/scalars.json')) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise UserError(f'there is no log at {path}; pass a scalars.json, a .csv, or the work directory of a run')
    curves: Curves = {}
    for file in files:
        for row in _rows(file):
            step = next((row[key] for key in STEP_KEYS if _number(row.get(key)) is not None), None)
            if step is None:
                continue
            for key, value in row.items():
                number = _number(value)
                if number is not None and key not in STEP_KEYS:
                    curves.setdefault(key, {})[float(step)] = number
    return {key: dict(sorted(values.items())) for key, values in curves.items()}


def plot_curves(logs: Mapping[str, str | Path] | Sequence[str | Path] | str | Path, path: str | Path, *,
                keys: Sequence[str] | None = None, smoothing: float = 0.0, log_scale: bool = False) -> None:
    """Draw curves, one panel a key, all runs in it, as PNG.

    Args:
        logs (Mapping | Sequence | str | Path): Runs by label, or a list of runs, or one; see :func:`read_scalars`.
        path (str | Path): The PNG file to write.
        keys (Sequence[str], optional): What to draw. Default: None, all numbers but the loop's clockwork.
        smoothing (float): Weight of the past in an exponential mean, in [0, 1); the raw curve stays visible behind it.
            Default: 0, none.
        log_scale (bool): Logarithmic values. Default: False.

    Raises:
        UserError: If a log cannot be read, a key is in none of them, or nothing is there to draw.
        ValueError: If the smoothing is out of range.
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f'smoothing must be in [0, 1), got {smoothing}')
    if isinstance(logs, (str, Path)):
        logs = [logs]
    if not isinstance(logs, Mapping):
        logs = {str(log): log for log in logs}
    runs = {label: read_scalars(log) for label, log in logs.items()}
    present = list(dict.fromkeys(key for curves in runs.values() for key in curves))
    shown = [key for key in present if key not in UNINTERESTING] if keys is None else list(keys)
    missing = [key for key in shown if key not in present]
    if missing or not shown:
        raise UserError(f'the logs {", ".join(map(str, logs.values()))} hold no {", ".join(missing) or "curves"}; '
                        f'they hold: {", ".join(present) or "nothing"}')
    _draw(runs, shown, path, smoothing, log_scale)


def _draw(runs: Mapping[str, Curves], keys: Sequence[str], path: str | Path, smoothing: float, log_scale: bool) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    columns = min(MAX_COLUMNS, len(keys))
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(columns * PANEL_WIDTH, rows * PANEL_HEIGHT), layout='constrained')
    canvas = FigureCanvasAgg(figure)
    for place, key in enumerate(keys, start=1):
        panel = figure.add_subplot(rows, columns, place)
        for number, (label, curves) in enumerate(runs.items()):
            steps, values = list(curves.get(key, {})), list(curves.get(key, {}).values())
            if smoothing:
                panel.plot(steps, values, color=f'C{number}', alpha=0.25, linewidth=0.8)
            marker = 'o' if len(steps) < 30 else None
            panel.plot(steps, list(_smooth(values, smoothing)), color=f'C{number}', label=label, marker=marker,
                       markersize=3)
        panel.set_title(key, fontsize=10)
        panel.set_xlabel('step', fontsize=8)
        panel.tick_params(labelsize=8)
        panel.grid(alpha=0.3)
        if log_scale:
            panel.set_yscale('log')
        if len(runs) > 1 and place == 1:
            panel.legend(fontsize=8)
    content = io.BytesIO()
    canvas.print_png(content)
    with clear_write_errors(path):
        write_bytes(path, content.getvalue())


def _rows(file: Path) -> Iterable[dict[str, object]]:
    text = file.read_text(encoding='utf-8', errors='replace')
    if file.suffix.lower() == '.csv':
        return list(csv.DictReader(io.StringIO(text)))
    rows = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break  # a run that was killed while writing
            raise UserError(f'line {number} of {file} is not JSON ({error}); pass a scalars.json or a .csv') from error
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _smooth(values: Sequence[float], weight: float) -> Iterable[float]:
    """Exponential mean without the pull of its start towards zero."""
    mean, total = 0.0, 0.0
    for value in values:
        mean, total = weight * mean + (1 - weight) * value, weight * total + (1 - weight)
        yield mean / total
