"""Base class of face detectors."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from leokit.utils.detections import Detection

BORDER = 0.5  # pixels; a box this near to the border of the frame shows a part of a face only


@dataclass(frozen=True, eq=False)
class Face(Detection):
    """A face in a frame; its box reaches from the forehead to the chin, as annotated in WIDER FACE.

    Attributes:
        landmarks (np.ndarray, optional): The 68 points of iBUG 300-W, float64 (68, 2), x first.
    """

    landmarks: np.ndarray | None = None


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
