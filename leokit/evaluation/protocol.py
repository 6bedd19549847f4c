"""The protocol of a score: everything that changes its value besides the videos and the feature network.

The presets are the config files in ``leokit/evaluation/protocols``. Training configs and ``tools/evaluate.py`` refer to
them by name. Scores may share a table column only if :meth:`Protocol.comparable` agrees.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

from leokit.deprecation import PROTOCOL_VALUES
from leokit.utils import UserError, load_config
from leokit.utils.shipped import find_config

PRESET_FOLDER = Path(__file__).resolve().parent / 'protocols'

ASPECTS = ('center_crop', 'stretch', 'square_only')
RESIZES = ('bilinear', 'bilinear_antialias', 'bicubic_antialias', 'area', 'nearest')
SAMPLINGS = ('first', 'random', 'windows', 'tiles')
FEWER = ('none', 'real', 'both')
COVARIANCES = ('population', 'unbiased')
KERNELS = ('full', 'subsets')


def _choice(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f'the protocol key {key} must be one of {", ".join(allowed)}, got {value!r}')


def _at_least(key: str, value: float | None, minimum: float) -> None:
    if value is not None and not value >= minimum:
        raise UserError(f'the protocol key {key} must be at least {minimum}, got {value}')


@dataclass(frozen=True)
class ClipRule:
    """Which frames of a video make a clip.

    Attributes:
        length (int): Frames of a clip.
        stride (int): Every how many-th frame is taken.
        fps (float, optional): Rate to which videos are resampled (nearest frame) before the stride; None takes the
            frames as they come.
    """

    length: int = 16
    stride: int = 1
    fps: float | None = None

    def __post_init__(self) -> None:
        _at_least('clips.length', self.length, 2)
        _at_least('clips.stride', self.stride, 1)
        if self.fps is not None and not self.fps > 0:
            raise UserError(f'the protocol key clips.fps must be positive or None, got {self.fps}')

    @property
    def span(self) -> int:
        """Frames from the first to the last of a clip, both included."""
        return (self.length - 1) * self.stride + 1


@dataclass(frozen=True)
class FrameRule:
    """How a frame becomes a square picture of the protocol's size, on the device, in float32.

    Attributes:
        resolution (int, optional): Side in pixels; None leaves frames as they are.
        aspect (str): What happens to frames that are not square: 'center_crop', 'stretch' or 'square_only' (the video
            is skipped and counted).
        resize (str): 'bilinear' (half-pixel centers, no anti-aliasing), 'bilinear_antialias', 'bicubic_antialias',
            'area' or 'nearest'.
    """

    resolution: int | None = 256
    aspect: str = 'center_crop'
    resize: str = 'bilinear_antialias'

    def __post_init__(self) -> None:
        _at_least('frames.resolution', self.resolution, 8)
        _choice('frames.aspect', self.aspect, ASPECTS)
        _choice('frames.resize', self.resize, RESIZES)


@dataclass(frozen=True)
class SamplingRule:
    """How many clips are taken of which videos, and how often the measurement is repeated.

    Attributes:
        num_clips (int): Clips of each set in one trial.
        trials (int): Repetitions with other draws; the score is their mean.
        split (str, optional): Which split of the real set, where a manifest tells splits.
        real (str): 'first' (one clip a video, its start), 'random' (one clip a video, random start), 'windows' (any
            window of any video, all equally likely) or 'tiles' (windows that do not overlap).
        fake (str): The same for generated videos.
        fewer (str): Which set may have fewer clips than ``num_clips`` and is then taken whole: 'none', 'real', 'both'.
        seed (int): Seed of all draws.
    """

    num_clips: int = 2048
    trials: int = 1
    split: str | None = None
    real: str = 'random'
    fake: str = 'first'
    fewer: str = 'none'
    seed: int = 0

    def __post_init__(self) -> None:
        _at_least('sampling.num_clips', self.num_clips, 2)
        _at_least('sampling.trials', self.trials, 1)
        _at_least('sampling.seed', self.seed, 0)
        _choice('sampling.real', self.real, SAMPLINGS)
        _choice('sampling.fake', self.fake, SAMPLINGS)
        _choice('sampling.fewer', self.fewer, FEWER)


@dataclass(frozen=True)
class ArithmeticRule:
    """Which of the conventions in use the distances follow.

    Attributes:
        covariance (str): 'population' (over N) or 'unbiased' (over N - 1).
        kernel (str): 'full' (unbiased MMD of all features, as it is) or 'subsets' (mean over 100 subsets of at most
            1000, times 1000).
    """

    covariance: str = 'population'
    kernel: str = 'full'

    def __post_init__(self) -> None:
        _choice('arithmetic.covariance', self.covariance, COVARIANCES)
        _choice('arithmetic.kernel', self.kernel, KERNELS)


SECTIONS = dict(clips=ClipRule, frames=FrameRule, sampling=SamplingRule, arithmetic=ArithmeticRule)


@dataclass(frozen=True)
class Protocol:
    """A measurement protocol.

    Attributes:
        name (str): Preset name; ends in ``*`` once a preset has been changed.
        source (str): Where the protocol was published, or why it exists.
        note (str): What is known to differ from the source.
        extractor (str): Type of the feature extractor that the source takes for video distances.
        clips (ClipRule): Which frames make a clip.
        frames (FrameRule): What size and shape frames get.
        sampling (SamplingRule): How many clips, of which videos, how often.
        arithmetic (ArithmeticRule): Conventions of the distances.
    """

    name: str
    source: str = ''
    note: str = ''
    extractor: str = 'I3D'
    clips: ClipRule = field(default_factory=ClipRule)
    frames: FrameRule = field(default_factory=FrameRule)
    sampling: SamplingRule = field(default_factory=SamplingRule)
    arithmetic: ArithmeticRule = field(default_factory=ArithmeticRule)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'Protocol':
        """Build a protocol from a config's dict; sections may be left out.

        Args:
            values (Mapping): Keys as the attributes, sections as dicts. The values of the preset ``base``, if that key
                is given, are the defaults, except for ``name`` and ``source``.

        Returns:
            Protocol: The protocol.

        Raises:
            UserError: If a key is unknown or a value not allowed.
        """
        values = dict(values)
        if 'base' in values:
            values = _on_base(load_protocol(values.pop('base')), values)
        known = {item.name for item in dataclasses.fields(cls)}
        _refuse_unknown('', values, known)
        if not values.get('name'):
            raise UserError("a protocol needs the key name; give the preset's name, or one of your own")
        for section, rule in SECTIONS.items():
            part = dict(values.get(section) or {})
            _refuse_unknown(f'{section}.', part, {item.name for item in dataclasses.fields(rule)})
            for key, value in part.items():  # records of older versions
                part[key] = PROTOCOL_VALUES.get((section, key), {}).get(value, value)
            values[section] = rule(**part)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, as :meth:`from_dict` takes them."""
        return dataclasses.asdict(self)

    def changed(self, options: Mapping[str, Any]) -> 'Protocol':
        """A copy with other values; its name gets a ``*`` if its scores no longer compare with the preset's.

        Args:
            options (Mapping): Dotted keys, such as ``{'sampling.num_clips': 64}``.

        Returns:
            Protocol: The changed protocol.

        Raises:
            UserError: If a key is unknown or a value not allowed.
        """
        values = self.to_dict()
        for key, value in options.items():
            section, _, name = key.partition('.')
            if section not in SECTIONS or not name:
                raise UserError(f'the protocol option {key} is not of the form section.key; sections are '
                                f'{", ".join(SECTIONS)}, as in sampling.num_clips=64')
            values[section][name] = value
        try:
            protocol = Protocol.from_dict(values)
        except TypeError as error:
            raise UserError(f'a value of the protocol options {", ".join(options)} is of the wrong kind ({error}); '
                            'numbers are written as in clips.length=16') from error
        if protocol.comparable() == self.comparable() or self.name.endswith('*'):
            return protocol
        return dataclasses.replace(protocol, name=self.name + '*')

    @property
    def tag(self) -> str:
        """'' for a published preset as it stands, else ``@<frames>x<stride>`` for the key of a metric."""
        standard = self.source and not self.name.endswith('*')
        return '' if standard else f'@{self.clips.length}x{self.clips.stride}'

    def comparable(self) -> dict[str, Any]:
        """What two scores must share: all but names and what only changes how often and which clips were drawn."""
        values = self.to_dict()
        for key in ('name', 'source', 'note', 'extractor'):
            del values[key]
        for key in ('trials', 'seed', 'fewer'):
            del values['sampling'][key]
        return values

    def fingerprint(self) -> str:
        """SHA-256 of everything that can change a set's features or a distance, 64 hexadecimal digits."""
        values = {section: dataclasses.asdict(getattr(self, section)) for section in SECTIONS}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def preset_names() -> list[str]:
    """Names that :func:`load_protocol` knows."""
    return sorted(path.stem for path in PRESET_FOLDER.glob('*.py'))


def load_protocol(name: str | Path) -> Protocol:
    """Read a preset by name, or a protocol from a config file with the top-level key ``protocol``.

    Args:
        name (str | Path): A preset's name, or a config file, ending in ``.py``.

    Returns:
        Protocol: The protocol.

    Raises:
        UserError: If there is no such preset or the file has no protocol.
    """
    path = find_config(name) if str(name).endswith('.py') else PRESET_FOLDER / f'{name}.py'
    if not path.is_file():
        known = ', '.join(preset_names()) or f'none found in {PRESET_FOLDER}'
        raise UserError(f'there is no protocol {name}; presets are {known}, or pass a config file (.py) with a '
                        'top-level dict protocol')
    config = load_config(path)
    if not isinstance(config.get('protocol'), dict):
        raise UserError(f'the config {path} has no top-level dict protocol; see docs/evaluation.md for its keys')
    return Protocol.from_dict(config.protocol.to_dict())


def as_protocol(value: 'Protocol | Mapping[str, Any] | str') -> Protocol:
    """A protocol from itself, from a config's dict, or from a preset's name."""
    if isinstance(value, Protocol):
        return value
    return Protocol.from_dict(value) if isinstance(value, Mapping) else load_protocol(value)


def _on_base(base: Protocol, values: Mapping[str, Any]) -> dict[str, Any]:
    defaults = base.to_dict()
    del defaults['name'], defaults['source']  # changed values are no longer those that the source published
    sections = {key: {**defaults[key], **(values.get(key) or {})} for key in SECTIONS}
    return {**defaults, **values, **sections}


def _refuse_unknown(prefix: str, values: Mapping[str, Any], known: set[str]) -> None:
    for key in values:
        if key not in known:
            raise UserError(f'the protocol has no key {prefix}{key}; known keys are '
                            f'{", ".join(prefix + name for name in sorted(known))}')
