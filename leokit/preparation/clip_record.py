"""What a dataset's metadata says about a clip: its video, time, crop, identity and split."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from leokit.video.frame_rate import COMMON_RATES, exact_rate, is_same_rate

NOMINAL_TOLERANCE = 4e-4  # relative: tables round 24000/1001 to 23.97, and 24 is 1e-3 away from it


def nominal_rate(rate: float | Fraction) -> Fraction:
    """The exact rate that a rounded one stands for: 29.97 is 30000/1001, also where a table has two decimals only."""
    closest = min(COMMON_RATES, key=lambda common: abs(common - rate))
    return closest if is_same_rate(float(closest), float(rate), NOMINAL_TOLERANCE) else exact_rate(rate)


class ClipTimes(NamedTuple):
    """The time of a clip in its video; ``end`` is excluded.

    Attributes:
        start (Fraction): In seconds, or in frames at ``frame_rate``.
        end (Fraction): In the unit of ``start``.
        frame_rate (Fraction, optional): Frames per second of frame numbers, which may differ from the file's rate.
    """

    start: Fraction
    end: Fraction
    frame_rate: Fraction | None = None

    @property
    def seconds(self) -> tuple[Fraction, Fraction]:
        """tuple[Fraction, Fraction]: Start and end in seconds."""
        unit = self.frame_rate or Fraction(1)
        return self.start / unit, self.end / unit

    def frames_at(self, rate: Fraction) -> tuple[int, int]:
        """First frame and end (excluded) at another rate: the frames i with ``start <= i / rate < end``, exactly.

        Frame numbers at the same rate, up to rounding of the rate, are taken as they are.
        """
        if self.frame_rate and is_same_rate(float(self.frame_rate), float(rate)):
            return math.ceil(self.start), math.ceil(self.end)
        start, end = self.seconds
        return math.ceil(start * rate), math.ceil(end * rate)


class MetadataBox(NamedTuple):
    """A box as the metadata states it.

    Attributes:
        left, top, right, bottom (Fraction): In a frame of ``reference`` pixels; right and bottom are excluded.
        reference (tuple[int, int], optional): Width and height of the frame that the box refers to; (1, 1) for
            fractions of the frame, None if the metadata does not say.
    """

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction
    reference: tuple[int, int] | None


@dataclass(frozen=True)
class ClipRecord:
    """A clip of a dataset.

    Attributes:
        name (str): Name of the clip and its file, as the dataset's own scripts name it.
        video (str): Id of the video, by which its file is found.
        times (ClipTimes, optional): None for the whole video.
        box (MetadataBox, optional): None if the metadata has none.
        identity (str): The person, or the nearest thing that the metadata has.
        split (str, optional): 'train', 'val' or 'test' of the published split.
        path (Path, optional): The video, where the layout of the dataset names it.
        mask (Path, optional): A video that masks the face, where the dataset has one.
    """

    name: str
    video: str
    times: ClipTimes | None
    box: MetadataBox | None
    identity: str
    split: str | None = None
    path: Path | None = None
    mask: Path | None = None


class Dropped(NamedTuple):
    """A clip that is not written.

    Attributes:
        clip (str): Its name, or where in the metadata it stands.
        video (str): Id of its video.
        reason (str): One of :data:`~leokit.preparation.report.REASONS`.
        detail (str): What was found.
    """

    clip: str
    video: str
    reason: str
    detail: str


@dataclass
class Metadata:
    """The clips that a metadata file describes.

    Attributes:
        records (list[ClipRecord]): In the order of the file.
        invalid (list[Dropped]): Entries that describe no clip.
        notes (list[str]): What a person should know about the file, for the report.
    """

    records: list[ClipRecord] = field(default_factory=list)
    invalid: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
