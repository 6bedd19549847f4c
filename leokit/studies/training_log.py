"""Scalars that MMEngine logged during a training."""

import json
from pathlib import Path
from typing import Any, Iterator

from leokit.deprecation import METRIC_NAMES
from leokit.utils import UserError

LOGS = '**/vis_data/scalars.json'  # one JSON object per line; a resumed training starts a new file


def read_scalars(work_dir: str | Path) -> dict[str, dict[float, float]]:
    """Read the training curves of a work directory.

    The logs are read in the order of their names, which begin with the date, so a resumed training gives one curve.

    Returns:
        dict[str, dict[float, float]]: For each key, value by step in increasing order; empty if nothing was logged.

    Raises:
        UserError: If a line is not JSON. An incomplete last line, of a training that was killed, is ignored.
    """
    curves: dict[str, dict[float, float]] = {}
    for file in sorted(Path(work_dir).glob(LOGS)):
        for row in _rows(file):
            step = row.pop('step', None)
            if not _is_number(step):
                continue
            for key, value in row.items():
                if _is_number(value):
                    curves.setdefault(METRIC_NAMES.get(key, key), {})[float(step)] = float(value)
    return {key: dict(sorted(values.items())) for key, values in curves.items()}


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    lines = file.read_text(encoding='utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return
            raise UserError(f'line {number} of {file} is not JSON ({error}); delete the file or repair that '
                            'line') from error
        if isinstance(row, dict):
            yield row


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
