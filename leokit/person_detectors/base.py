"""Base class of person detectors."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from leokit.utils.detections import Detection


@dataclass(frozen=True, eq=False)
class Person(Detection):
    """A person in a frame; the box holds the body from head to feet as far as it is seen."""


class PersonDetector(ABC):
    """Finds people. A detector is used by one thread at a time."""

    @abstractmethod
    def detect(self, frame: np.ndarray) -> list[Person]:
        """The people in a frame, the largest first.

        Args:
            frame (np.ndarray): uint8 RGB, shape (H, W, 3).
        """
