"""The protocol of a score: everything that changes its value apart from the videos and the feature network.

The presets are the config files in ``leokit/evaluation/protocols``. Training configs and ``leokit evaluate`` refer to
them by name. Scores may share a table column only if :meth:`Protocol.comparable` agrees.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

import numpy as np
from torch import nn

from leokit.deprecation import PROTOCOL_VALUES
from leokit.utils import UserError, load_config
from leokit.utils.option_text import read_options
from leokit.utils.shipped import find_config

PRESET_FOLDER = Path(__file__).resolve().parent / 'protocols'

ASPECTS = ('center_crop', 'stretch', 'square_only')
RESIZES = ('bilinear', 'bilinear_antialias', 'bicubic_antialias', 'area', 'nearest')
SAMPLINGS = ('first', 'random', 'windows', 'tiles', 'interleaved')
STANDARD_CLIP = (16, 1)  # length and stride of the clips that a bare "fvd" of the literature stands for
FEWER = ('none', 'real', 'both')
COVARIANCES = ('population', 'unbiased')
KERNELS = ('full', 'subsets')
MAX_RATE_ERROR = 1e-6  # in frames; accepts a video of exactly the required length despite rounding


@dataclass(frozen=True)
class ClipRule:
    """Which frames of a video make a clip.

    Attributes:
        length (int): Frames of a clip.
        stride (int): Distance between two frames of a clip; 1 takes every frame.
        fps (float, optional): Frame rate to which videos are resampled (nearest frame) before the stride is applied;
            None keeps the rate of each video.
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

    def available_frames(self, frames: int, fps: float) -> int:
        """Number of frames at the protocol's rate of a video of ``frames`` frames at ``fps``."""
        if self.fps is None:
            return frames
        return int((frames - 1) * self.fps / fps + MAX_RATE_ERROR) + 1

    def frame_numbers(self, start: int, frames: int, fps: float) -> np.ndarray:
        """The frames of the clip that begins at frame ``start`` (at the protocol's rate) of a video.

        Returns:
            np.ndarray: Frame numbers at the video's own rate, int64, shape (length,).
        """
        numbers = start + np.arange(self.length) * self.stride
        if self.fps is not None:
            numbers = np.rint(numbers * fps / self.fps).astype(np.int64)
        return np.minimum(numbers, frames - 1).astype(np.int64)


@dataclass(frozen=True)
class FrameRule:
    """How frames become square images of the protocol's resolution; on the device, in float32.

    Attributes:
        resolution (int, optional): Width and height in pixels; None keeps the size of the frames.
        aspect (str): Treatment of frames that are not square: 'center_crop', 'stretch', or 'square_only' (the video is
            skipped and counted).
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
    """How many clips are sampled from which videos, and how often the measurement is repeated.

    Attributes:
        num_clips (int): Clips of each set in one trial.
        trials (int): Repetitions with other clips; the score is their mean.
        split (str, optional): Split of the real set, if its manifest or folders define splits.
        real (str): 'first' (one clip per video, its start), 'random' (one clip per video, random start), 'windows' (any
            window of any video, all equally likely), 'tiles' (windows that do not overlap) or 'interleaved' (of every
            segment of ``length * stride`` frames, the ``stride`` clips that start at its first frames).
        fake (str): The same for generated videos.
        fewer (str): Which set may have fewer clips than ``num_clips``, and is then used completely: 'none', 'real' or
            'both'.
        seed (int): Seed of the clip sampling.
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
    """Conventions of the distances.

    Attributes:
        covariance (str): 'population' (over N) or 'unbiased' (over N - 1).
        kernel (str): 'full' (unbiased MMD of all features) or 'subsets' (mean over 100 subsets of at most 1000, times
            1000).
    """

    covariance: str = 'population'
    kernel: str = 'full'

    def __post_init__(self) -> None:
        _choice('arithmetic.covariance', self.covariance, COVARIANCES)
        _choice('arithmetic.kernel', self.kernel, KERNELS)


SECTIONS = dict(clips=ClipRule, frames=FrameRule, sampling=SamplingRule, arithmetic=ArithmeticRule)


@dataclass(frozen=True)
class Protocol:
    """An evaluation protocol.

    Attributes:
        name (str): Name of the preset; ends in ``*`` if a preset was changed.
        source (str): Publication of the protocol; empty if it is not published.
        note (str): Known differences from the source, or other remarks.
        extractor (str): Type of the feature extractor that the source uses for video distances.
        clips (ClipRule): Which frames make a clip.
        frames (FrameRule): Size and shape of frames.
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
        """Build a protocol from a config.

        Args:
            values (Mapping): The attributes, sections as dicts; all but ``name`` are optional. With the additional key
                ``base``, the defaults are the values of that preset, except for ``name`` and ``source``.
        """
        values = dict(values)
        if 'base' in values:
            values = _on_base(load_protocol(values.pop('base')), values)
        _check_keys('', values, {item.name for item in dataclasses.fields(cls)})
        if not values.get('name'):
            raise UserError("a protocol needs the key name: the preset's name, or one of your own")
        for section, rule in SECTIONS.items():
            part = dict(values.get(section) or {})
            _check_keys(f'{section}.', part, {item.name for item in dataclasses.fields(rule)})
            for key, value in part.items():  # records of older versions
                part[key] = PROTOCOL_VALUES.get((section, key), {}).get(value, value)
            values[section] = rule(**part)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings; inverse of :meth:`from_dict`."""
        return dataclasses.asdict(self)

    def as_used(self, extractor: nn.Module | None = None) -> dict[str, Any]:
        """:meth:`to_dict` for the record of a score, with the type of the extractor that was used, not the source's.

        Args:
            extractor (nn.Module, optional): The feature extractor; a score of something else names none.
        """
        values = self.to_dict()
        del values['extractor']
        return values if extractor is None else {**values, 'extractor': type(extractor).__name__}

    def changed(self, options: Mapping[str, Any]) -> 'Protocol':
        """A copy with other values; its name gets a ``*`` if its scores no longer compare with the preset's.

        Args:
            options (Mapping): Dotted keys, such as ``{'sampling.num_clips': 64}``.
        """
        values = self.to_dict()
        for key, value in options.items():
            section, _, name = key.partition('.')
            if section not in SECTIONS or not name:
                raise UserError(f'the protocol option {key} is not of the form section.key; sections are '
                                f'{", ".join(SECTIONS)}, as in sampling.num_clips=64')
            values[section].update(read_options({name: value}, SECTIONS[section]))
        try:
            protocol = Protocol.from_dict(values)
        except TypeError as error:
            raise UserError(f'a value of the protocol options {", ".join(options)} has the wrong type ({error}); '
                            'write numbers as in clips.length=16') from error
        if protocol.comparable() == self.comparable() or self.name.endswith('*'):
            return protocol
        return dataclasses.replace(protocol, name=self.name + '*')

    @property
    def tag(self) -> str:
        """Suffix of metric keys: '' for an unchanged published preset of 16 consecutive frames, else the clip."""
        standard = self.source and not self.name.endswith('*') and self._clip == STANDARD_CLIP
        return '' if standard else self.clip_tag

    @property
    def clip_tag(self) -> str:
        """The clip as metric keys state it: ``@<length>x<stride>``."""
        return '@{}x{}'.format(*self._clip)

    @property
    def _clip(self) -> tuple[int, int]:
        return self.clips.length, self.clips.stride

    def is_complete(self, real: int, fake: int) -> bool:
        """Whether the numbers of clips are those of the protocol; fewer count only if the preset itself allows them."""
        fewer = (load_protocol(self.name) if self.name in preset_names() else self).sampling.fewer
        return all(count >= self.sampling.num_clips or fewer in (name, 'both')
                   for name, count in (('real', real), ('fake', fake)))

    def comparable(self) -> dict[str, Any]:
        """The values that two scores must share to be comparable: all but names, trials, seed and ``fewer``."""
        values = self.to_dict()
        for key in ('name', 'source', 'note', 'extractor'):
            del values[key]
        for key in ('trials', 'seed', 'fewer'):
            del values['sampling'][key]
        return values

    def fingerprint(self) -> str:
        """SHA-256 of everything that can change the features of a set or a distance, 64 hexadecimal digits."""
        values = {section: dataclasses.asdict(getattr(self, section)) for section in SECTIONS}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def preset_names() -> list[str]:
    """Names of the presets."""
    return sorted(path.stem for path in PRESET_FOLDER.glob('*.py'))


def load_protocol(name: str | Path) -> Protocol:
    """Read a preset by name, or a protocol from a config file (``.py``) with a top-level dict ``protocol``."""
    path = find_config(name) if str(name).endswith('.py') else PRESET_FOLDER / f'{name}.py'
    if not path.is_file():
        raise UserError(f'there is no protocol {name}; presets are {", ".join(preset_names())}, or pass a config file '
                        '(.py) with a top-level dict protocol')
    config = load_config(path)
    if not isinstance(config.get('protocol'), dict):
        raise UserError(f'the config {path} has no top-level dict protocol; docs/evaluation.md describes its keys')
    return Protocol.from_dict(config.protocol.to_dict())


def as_protocol(value: 'Protocol | Mapping[str, Any] | str') -> Protocol:
    """A protocol from itself, from a config, or from the name of a preset or a file."""
    if isinstance(value, Protocol):
        return value
    return Protocol.from_dict(value) if isinstance(value, Mapping) else load_protocol(value)


def _on_base(base: Protocol, values: Mapping[str, Any]) -> dict[str, Any]:
    defaults = base.to_dict()
    del defaults['name'], defaults['source']  # changed values are no longer those that the source published
    sections = {key: {**defaults[key], **(values.get(key) or {})} for key in SECTIONS}
    return {**defaults, **values, **sections}


def _check_keys(prefix: str, values: Mapping[str, Any], known: set[str]) -> None:
    for key in values:
        if key not in known:
            raise UserError(f'the protocol has no key {prefix}{key}; known keys are '
                            f'{", ".join(prefix + name for name in sorted(known))}')


def _choice(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f'the protocol key {key} must be one of {", ".join(allowed)}, got {value!r}')


def _at_least(key: str, value: float | None, minimum: float) -> None:
    if value is not None and not value >= minimum:
        raise UserError(f'the protocol key {key} must be at least {minimum}, got {value}')
