"""The definition of a study, read from a config."""


import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from leokit.deprecation import METRIC_NAMES
from leokit.utils import UserError
from leokit.utils.config import merge_options, read_config_file
from leokit.utils.errors import suggest
from leokit.utils.shipped import find_config

KEYS = ('title', 'base', 'options', 'variants', 'reference', 'seeds', 'metrics', 'curves')
DIRECTIONS = ('low', 'high')


@dataclass(frozen=True)
class Metric:
    """A column of the table.

    Attributes:
        key (str): Key in the scores of the test.
        label (str): Column title. Default: '', the key.
        target (str | float): ``'low'`` or ``'high'``, whichever is better, or the ideal value.
    """

    key: str
    label: str = ''
    target: str | float = 'low'

    def __post_init__(self) -> None:
        object.__setattr__(self, 'key', METRIC_NAMES.get(self.key, self.key))  # studies written with old names
        if self.target not in DIRECTIONS and (isinstance(self.target, (str, bool)) or self.target is None):
            raise UserError(f"the target of metric {self.key!r} is {self.target!r}; set it to 'low', 'high' or the "
                            'ideal value')

    def loss(self, value: float) -> float:
        """The value where low is better, its negative where high is, or its distance from the ideal value."""
        if self.target in DIRECTIONS:
            return value if self.target == 'low' else -value
        return abs(value - self.target)


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes:
        name (str): Row title.
        config (str): Config file.
        options (dict): Overrides of the config, by dotted keys. ``'{checkpoint}'`` and ``'{config}'`` in values are
            the files of the run ``after``.
        after (str): Another variant, listed before, whose training must be finished under the same seed.
        train (bool): False tests the weights of ``after`` with other options, without training.
        metrics (tuple[str, ...]): Keys of the study's metrics that its test has. Default: all of them.
    """

    name: str
    config: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)
    after: str = ''
    train: bool = True
    metrics: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return re.sub(r'[^a-z0-9]+', '_', self.name.lower()).strip('_')

    def has(self, metric: Metric) -> bool:
        """Whether its test has the metric."""
        return not self.metrics or metric.key in self.metrics


@dataclass(frozen=True)
class Study:
    """Variants, seeds and metrics.

    Attributes:
        title (str): Title of the report.
        variants (tuple[Variant, ...]): The variants to compare.
        reference (Variant): The variant that the others are compared with.
        seeds (tuple[int, ...]): Seeds of each variant's runs.
        metrics (tuple[Metric, ...]): Columns of the table.
        options (dict): Overrides of all variants' configs, by dotted keys: the protocol.
        curves (tuple[str, ...]): Keys of the training log to plot.
    """

    title: str
    variants: tuple[Variant, ...]
    reference: Variant
    seeds: tuple[int, ...]
    metrics: tuple[Metric, ...]
    options: Mapping[str, Any]
    curves: tuple[str, ...]


def load_study(path: str | Path, options: Mapping[str, Any] | None = None) -> Study:
    """Read a study's config.

    References such as ``'$codes_dir'`` are not resolved here: they refer to keys of the variants' configs.

    Args:
        path (str | Path): A Python config file, or the name of a shipped one, with ``base``, ``variants``, ``seeds``,
            ``metrics`` and optionally ``title``, ``options``, ``reference`` and ``curves``.
        options (dict, optional): Overrides of the study's config, by dotted keys.
    """
    path = find_config(path)
    config = read_config_file(path)
    merge_options(config, dict(options or {}))
    content = config.to_dict()
    for key in content:
        if key not in KEYS:
            raise UserError(f'the study {path} has an unknown key {key!r}{suggest(key, KEYS)}')
    for key in ('variants', 'seeds', 'metrics'):
        if not content.get(key):
            raise UserError(f'the study {path} has no {key}; add {key}=[...] to it')
    variants = _variants(path, content)
    names = [variant.name for variant in variants]
    metrics = tuple(_build(Metric, entry, path) for entry in content['metrics'])
    for variant in variants:
        if not isinstance(variant.metrics, (list, tuple)):
            raise UserError(f'metrics of the variant {variant.name!r} of the study {path} must be a list of keys, got '
                            f'{variant.metrics!r}')
        for key in variant.metrics:
            if key not in [metric.key for metric in metrics]:
                raise UserError(f'the variant {variant.name!r} of the study {path} has the metric {key!r}, which is '
                                'not one of the study; add it to metrics of the study')
    reference = content.get('reference', names[0])
    if reference not in names:
        raise UserError(f'the reference {reference!r} of the study {path} is not one of its variants '
                        f'({", ".join(names)})')
    return Study(
        title=content.get('title', path.stem), variants=variants, reference=variants[names.index(reference)],
        seeds=_distinct_seeds(path, content['seeds']), options=_dotted(content.get('options', {})),
        metrics=metrics,
        curves=tuple(METRIC_NAMES.get(key, key) for key in content.get('curves', ())))


def _variants(path: Path, content: dict[str, Any]) -> tuple[Variant, ...]:
    entries = [{'config': content.get('base', ''), **entry, 'options': _dotted(entry.get('options', {}))}
               for entry in content['variants']]
    variants = tuple(_build(Variant, entry, path) for entry in entries)
    folders = [variant.folder for variant in variants]
    if '' in folders or len(set(folders)) < len(folders):
        raise UserError(f'the variants of the study {path} need names that differ in letters or digits, got '
                        f'{", ".join(repr(variant.name) for variant in variants)}')
    for number, variant in enumerate(variants):
        if (variant.after or not variant.train) and variant.after not in [one.name for one in variants[:number]]:
            raise UserError(f'the variant {variant.name!r} of the study {path} needs the training of another one; set '
                            'after to the name of a variant that is listed before it')
        if not variant.config:
            raise UserError(f'the variant {variant.name!r} of the study {path} has no config; set base in the study, '
                            'or config in the variant')
    return variants


def _dotted(options: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Flatten nested options, so that nested and dotted spellings of neighboring keys merge."""
    flat = {}
    for key, value in options.items():
        nested = isinstance(value, Mapping) and value and '_delete_' not in value
        flat.update(_dotted(value, f'{prefix}{key}.') if nested else {f'{prefix}{key}': value})
    return flat


def _distinct_seeds(path: Path, seeds: Sequence[int]) -> tuple[int, ...]:
    if not all(type(seed) is int and seed >= 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise UserError(f'the seeds of the study {path} must be different non-negative integers, got {seeds}')
    return tuple(seeds)


def _build(kind: type, entry: Mapping[str, Any], path: Path) -> Any:
    try:
        return kind(**entry)
    except TypeError as error:
        raise UserError(f'an entry of the study {path} does not fit ({error}): {dict(entry)}') from error
