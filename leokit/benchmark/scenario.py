"""One part of the LEO benchmark: a set of generated videos and the metrics it is evaluated with."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from leokit.deprecation import upgrade_scenario
from leokit.evaluation import Protocol, as_protocol
from leokit.utils import UserError

FIRST_FRAMES = ('generated', 'real')


@dataclass(frozen=True)
class Scenario:
    """A set of videos to generate and evaluate.

    Attributes:
        name (str): Name of the scenario and of its output folder.
        num_videos (int): Number of videos.
        num_frames (int): Frames per video.
        protocol (Protocol): Evaluation protocol; its clip length is also the segment length of a long video.
        metrics (tuple): Names in :data:`leokit.evaluation.VIDEO_SET_METRICS`.
        first_frames (str): ``'generated'`` for unconditional generation, ``'real'`` to start from frames of the real
            videos.
    """

    name: str
    num_videos: int
    num_frames: int
    protocol: Protocol
    metrics: tuple[str, ...] = ('fvd', 'kvd', 'acd')
    first_frames: str = 'generated'

    def __post_init__(self) -> None:
        if self.first_frames not in FIRST_FRAMES:
            raise UserError(f'first_frames of the scenario {self.name} must be one of {", ".join(FIRST_FRAMES)}, got '
                            f'{self.first_frames!r}')
        span = self.protocol.clips.span
        if self.num_videos < 2 or self.num_frames < span:
            raise UserError(f'the scenario {self.name} has {self.num_videos} videos of {self.num_frames} frames, but '
                            f'its protocol {self.protocol.name} needs at least 2 videos of at least {span} frames')

    @classmethod
    def from_dict(cls, name: str, values: Mapping[str, Any]) -> 'Scenario':
        """Build a scenario from a config's dict: keys as the attributes, and ``sampling``, changes to the protocol's.

        Raises:
            UserError: If a key is unknown or missing, or a value is not allowed.
        """
        values = upgrade_scenario(values)
        known = {item.name for item in fields(cls)} - {'name'} | {'sampling'}
        for key in values:
            if key not in known:
                raise UserError(f'the scenario {name} has no key {key}; known keys are {", ".join(sorted(known))}')
        changes = {f'sampling.{key}': value for key, value in (values.pop('sampling', None) or {}).items()}
        missing = [key for key in ('num_videos', 'num_frames', 'protocol') if key not in values]
        if missing:
            raise UserError(f'the scenario {name} needs the key {missing[0]}')
        protocol = as_protocol(values.pop('protocol')).changed(changes)
        return cls(name, protocol=protocol, **{**values, 'metrics': tuple(values.get('metrics', cls.metrics))})
