"""What a test of LEO makes and measures."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from leokit.evaluation import Protocol, as_protocol
from leokit.utils import UserError

FIRST_FRAMES = ('drawn', 'real')


@dataclass(frozen=True)
class Scenario:
    """One kind of video that is made and measured.

    Attributes:
        name (str): Its name, and that of its folder.
        num_videos (int): Videos.
        num_frames (int): Frames of each.
        protocol (Protocol): How they are measured; a clip of it is what a segment of a long video is.
        measures (tuple): Names in :data:`leokit.evaluation.MEASURES`.
        first_frames (str): ``'drawn'``: unconditional generation; ``'real'``: conditional, from the real videos.
    """

    name: str
    num_videos: int
    num_frames: int
    protocol: Protocol
    measures: tuple[str, ...] = ('fvd', 'kvd', 'acd')
    first_frames: str = 'drawn'

    def __post_init__(self) -> None:
        if self.first_frames not in FIRST_FRAMES:
            raise UserError(f'first_frames of the scenario {self.name} must be one of {", ".join(FIRST_FRAMES)}, got '
                            f'{self.first_frames!r}')
        span = self.protocol.clips.span
        if self.num_videos < 2 or self.num_frames < span:
            raise UserError(f'the scenario {self.name} makes {self.num_videos} videos of {self.num_frames} frames, and '
                            f'its protocol {self.protocol.name} needs 2 or more videos of {span} or more')

    @classmethod
    def from_dict(cls, name: str, values: Mapping[str, Any]) -> 'Scenario':
        """Build a scenario from a config's dict: keys as the attributes, and ``sampling``, changes to the protocol's.

        Raises:
            UserError: If a key is unknown or missing, or a value not allowed.
        """
        known = {item.name for item in fields(cls)} - {'name'} | {'sampling'}
        for key in values:
            if key not in known:
                raise UserError(f'the scenario {name} has no key {key}; known keys are {", ".join(sorted(known))}')
        values = dict(values)
        changes = {f'sampling.{key}': value for key, value in (values.pop('sampling', None) or {}).items()}
        missing = [key for key in ('num_videos', 'num_frames', 'protocol') if key not in values]
        if missing:
            raise UserError(f'the scenario {name} needs the key {missing[0]}')
        protocol = as_protocol(values.pop('protocol')).changed(changes)
        return cls(name, protocol=protocol, **{**values, 'measures': tuple(values.get('measures', cls.measures))})
