"""Base class of face detectors."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

BORDER = 0.5  # pixels; a box this near to the border of the frame shows a part of a face only


class Face(NamedTuple):
    """A face in a frame. Coordinates are in pixels; (0, 0) is the corner of the frame, not the first pixel's center.

    Attributes:
        box (np.ndarray): Left, top, right, bottom, float64 (4,), from the forehead to the chin, as annotated in WIDER
            FACE. It may reach beyond the frame.
        score (float): Larger for a more certain detection; comparable within one detector.
        landmarks (np.ndarray, optional): The 68 points of iBUG 300-W, float64 (68, 2), x first.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray | None = None

    @property
    def side(self) -> float:
        """float: The longer side of the box."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def center(self) -> np.ndarray:
        """np.ndarray: Center of the box, x first."""
        return (self.box[:2] + self.box[2:]) / 2


class FaceDetector(ABC):
    """Finds faces. A detector is used by one thread at a time.

    Attributes:
        has_landmarks (bool): Faces have landmarks.
    """

    has_landmarks = False

    @abstractmethod
    def detect(self, frame: np.ndarray, *, thorough: bool = False) -> list[Face]:
        """The faces in a frame, the largest first.

        Args:
            frame (np.ndarray): uint8 RGB, shape (H, W, 3).
            thorough (bool): Search for smaller faces, too, which takes longer.
        """


def is_cut(face: Face, frame_size: tuple[int, int]) -> bool:
    """Whether the border of a frame (height, width) cuts through a face."""
    (height, width), (left, top, right, bottom) = frame_size, face.box
    return bool(left <= BORDER or top <= BORDER or right >= width - BORDER or bottom >= height - BORDER)


def largest_first(faces: list[Face]) -> list[Face]:
    """Faces sorted by the area of their box."""
    return sorted(faces, key=lambda face: -float(np.prod(face.box[2:] - face.box[:2])))
