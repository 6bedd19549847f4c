"""What a detector of faces or persons finds in a frame."""

from dataclasses import dataclass
from typing import Sequence, TypeVar

import numpy as np


@dataclass(frozen=True, eq=False)
class Detection:
    """A box in a frame. Coordinates are in pixels; (0, 0) is the corner of the frame, not the first pixel's center.

    Attributes:
        box (np.ndarray): Left, top, right, bottom, float64 (4,). It may reach beyond the frame.
        score (float): Larger for a more certain detection; comparable within one detector.
    """

    box: np.ndarray
    score: float

    @property
    def side(self) -> float:
        """float: The longer side of the box."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def center(self) -> np.ndarray:
        """np.ndarray: Center of the box, x first."""
        return (self.box[:2] + self.box[2:]) / 2


AnyDetection = TypeVar('AnyDetection', bound=Detection)


def largest_first(found: Sequence[AnyDetection]) -> list[AnyDetection]:
    """Detections sorted by the area of their box."""
    return sorted(found, key=lambda detection: -float(np.prod(detection.box[2:] - detection.box[:2])))
