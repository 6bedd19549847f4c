"""Result records: a score with everything that decides which other scores it compares with.

A file of records is JSON: ``{"format": 1, "records": [...]}``. A value that could not be measured is null, with the
reason among the warnings; it is never left out and never zero.
"""

import dataclasses
import json
import platform
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import torch

from leokit.deprecation import METRIC_NAMES
from leokit.evaluation.protocol import STANDARD_CLIP, Protocol
from leokit.utils import UserError
from leokit.utils.files import without_nan, write_json
from leokit.version import __version__

FORMAT = 1


@dataclass(frozen=True)
class Score:
    """A value and its uncertainty.

    Attributes:
        value (float, optional): Mean over the trials; None if it could not be measured.
        std (float, optional): Its uncertainty.
        std_of (str): 'trials': sample standard deviation over trials with different clips; 'jackknife': standard error
            from leaving out a tenth of the clips at a time, if all trials use the same clips; 'none'.
        values (tuple): The value of each trial.
    """

    value: float | None
    std: float | None = None
    std_of: str = 'none'
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class SetInfo:
    """One of the two sets of videos.

    Attributes:
        path (str): The folder or manifest.
        split (str, optional): The split; None if the source has no splits.
        videos (int): Number of usable videos.
        clips (int): Number of clips of one trial.
        skipped (int): Number of videos that could not be used; the evaluation prints them with a reason.
        manifest_hash (str): SHA-256 over names, contents and frames in use of all usable videos.
        filters (dict): The filter, without its defaults.
    """

    path: str
    split: str | None
    videos: int
    clips: int
    skipped: int
    manifest_hash: str
    filters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkInfo:
    """The feature network.

    Attributes:
        label (str): Name of the features.
        sha256 (str): Fingerprint of the weights.
        dim (int): Length of a feature vector.
    """

    label: str
    sha256: str
    dim: int


@dataclass(frozen=True)
class RunInfo:
    """The evaluated model, and time and software of the evaluation.

    Attributes:
        model (str, optional): Name of the generator; a row of a table.
        step (int, optional): Training iteration, for curves.
        created (str): Time in UTC, ISO 8601.
        versions (dict): Versions of the software.
    """

    model: str | None = None
    step: int | None = None
    created: str = ''
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, model: str | None = None, step: int | None = None) -> 'RunInfo':
        """The current time and the running software."""
        versions = dict(leokit=__version__, torch=str(torch.__version__), numpy=np.__version__,
                        python=platform.python_version())
        return cls(model, step, datetime.now(timezone.utc).isoformat(timespec='seconds'), versions)


@dataclass(frozen=True)
class ResultRecord:
    """One score.

    Attributes:
        metric (str): Key, with network and clip if they are not standard, as in
            ``fvd-efficientnet_lite0_dt@16x1``.
        score (Score): Value and uncertainty.
        protocol (dict): The complete protocol, from :meth:`Protocol.as_used`: ``extractor`` is the type that was used.
        run (RunInfo): Model, time and software.
        real (SetInfo, optional): The real set, for metrics that use one.
        fake (SetInfo, optional): The generated set.
        network (NetworkInfo, optional): The feature network.
        curve (dict, optional): ``dict(label=..., x=[...], y=[...])`` for metrics over time.
        details (dict): Further numbers, such as missing-detection rates.
        warnings (tuple): Sentences for the readers of the score.
    """

    metric: str
    score: Score
    protocol: dict[str, Any]
    run: RunInfo = field(default_factory=RunInfo)
    real: SetInfo | None = None
    fake: SetInfo | None = None
    network: NetworkInfo | None = None
    curve: dict[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the most important ones are repeated at the top level."""
        values = dataclasses.asdict(self)
        score, clips = values.pop('score'), self.protocol.get('clips', {})
        frames = self.protocol.get('frames', {})
        sampling = self.protocol.get('sampling', {})
        head = dict(
            metric=values.pop('metric'), **score, trials=len(score['values']),
            clips=self.fake.clips if self.fake else None, frames=clips.get('length'), stride=clips.get('stride'),
            split=self.real.split if self.real else None, resolution=frames.get('resolution'),
            resize=frames.get('resize'), seed=sampling.get('seed'))
        return without_nan({**head, **values})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'ResultRecord':
        """Inverse of :meth:`to_dict`; raises KeyError or TypeError for other content."""
        parts = dict(real=SetInfo, fake=SetInfo, network=NetworkInfo, run=RunInfo)
        built = {name: kind(**values[name]) if values.get(name) else None for name, kind in parts.items()}
        built['run'] = built['run'] or RunInfo()
        score = Score(values['value'], values['std'], values['std_of'], tuple(values['values']))
        metric = METRIC_NAMES.get(values['metric'], values['metric'])
        clips = values['protocol'].get('clips', {})
        _check_types(values, built['run'])
        if metric in ('fvd', 'kvd') and (clips.get('length', 16), clips.get('stride', 1)) != STANDARD_CLIP:
            metric += f'@{clips["length"]}x{clips["stride"]}'  # older versions used one key for 16 and 128 frames
        return cls(metric=metric, score=score, protocol=values['protocol'], curve=values.get('curve'),
                   details=values.get('details') or {}, warnings=tuple(values.get('warnings') or ()), **built)

    def comparable(self) -> dict[str, Any]:
        """The values that another record must share to be comparable, as a flat dict."""
        flat = {}
        if self.protocol:
            flat = {f'{section}.{key}': value
                    for section, rule in Protocol.from_dict(self.protocol).comparable().items()
                    for key, value in rule.items()}
        flat['feature network'] = self.network.label if self.network else None
        flat['weights sha256'] = self.network.sha256 if self.network else None
        flat['real set'] = self.real.manifest_hash if self.real else None
        flat['real clips'] = self.real.clips if self.real else None
        flat['generated clips'] = self.fake.clips if self.fake else None
        return flat


def _check_types(values: Mapping[str, Any], run: RunInfo) -> None:
    """Raise TypeError for a value that tables and plots of records could not show."""
    curve = values.get('curve') or {}
    numbers = [values['value'], values['std'], *values['values'], run.step]
    texts = {'metric': [values['metric']], 'std_of': [values['std_of']], 'warnings': values.get('warnings') or (),
             'run.model': [] if run.model is None else [run.model], 'curve.label': [curve.get('label', '')]}
    for x, y in zip(curve.get('x', ()), curve.get('y', ()), strict=True):
        numbers += [x, y]
    for number in numbers:
        if number is not None and (isinstance(number, bool) or not isinstance(number, (int, float))):
            raise TypeError(f'{number!r} is no number')
    for key, items in texts.items():
        if isinstance(items, str) or not all(isinstance(item, str) for item in items):
            raise TypeError(f'{key} is {items!r}')
    if not isinstance(values.get('details') or {}, Mapping):
        raise TypeError(f'details is {values["details"]!r}')


def save_records(path: str | Path, records: Sequence[ResultRecord]) -> None:
    """Write records to a JSON file, atomically."""
    write_json(path, dict(format=FORMAT, records=[record.to_dict() for record in records]))


def load_records(path: str | Path) -> list[ResultRecord]:
    """Read a file that :func:`save_records` wrote."""
    if not Path(path).is_file():
        raise UserError(f'the result file {path} does not exist; leokit evaluate --out writes one')
    try:
        content = json.loads(Path(path).read_text())
        if content['format'] != FORMAT:
            raise UserError(f'the result file {path} has format {content["format"]}, but this version reads {FORMAT}')
        return [ResultRecord.from_dict(values) for values in content['records']]
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise UserError(f'{path} is not a result file of leokit ({type(error).__name__}: {error}); '
                        'pass the file that leokit evaluate --out wrote') from error
