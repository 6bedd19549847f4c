"""Motion parameters of a synthetic face: names, units and ranges.

``MOTION_NAMES`` is the order of the columns in every motion array of this package and in ``truth.npz``.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape


class MotionParameter(NamedTuple):
    """One column of the motion array."""

    low: float
    high: float
    meaning: str


# Directions are those of the image: x to the right, y down. Lengths are in scene units; an image shows [-0.9, 0.9]².
MOTION_PARAMETERS = {
    'yaw': MotionParameter(-32.0, 32.0, 'degrees; positive turns the face to the right of the image'),
    'pitch': MotionParameter(-22.0, 22.0, 'degrees; positive looks down'),
    'roll': MotionParameter(-18.0, 18.0, 'degrees; positive tilts the head clockwise'),
    'tx': MotionParameter(-0.14, 0.14, 'shift of the head to the right'),
    'ty': MotionParameter(-0.09, 0.09, 'shift of the head down'),
    'scale': MotionParameter(0.92, 1.08, 'size of the head relative to its size at rest; the camera distance'),
    'mouth_open': MotionParameter(0.0, 1.0, '0 closed, 1 wide open'),
    'smile': MotionParameter(-0.4, 1.0, 'corners of the mouth: negative down, 1 a broad smile'),
    'blink': MotionParameter(0.0, 1.0, '0 eyes open, 1 both eyes closed'),
    'brow': MotionParameter(-0.6, 1.0, 'negative frowning, 1 raised'),
    'gaze_x': MotionParameter(-1.0, 1.0, 'iris in the eye: positive to the right of the image'),
    'gaze_y': MotionParameter(-1.0, 1.0, 'iris in the eye: positive down'),
}
MOTION_NAMES = tuple(MOTION_PARAMETERS)

# Parameters of a neutral, frontal face.
NEUTRAL_MOTION = tuple(1.0 if name == 'scale' else 0.0 for name in MOTION_NAMES)

BEHAVIORS = ('nodding', 'talking', 'mixed')


class ParameterTable:
    """Named columns of a parameter array, shaped to broadcast over images.

    Args:
        names (tuple[str, ...]): Names of the columns.
        values (Tensor): Parameters, shape (B, columns).
    """

    def __init__(self, names: tuple[str, ...], values: Tensor) -> None:
        check_shape('values', values, (None, len(names)))
        self._columns = {name: values[:, i, None, None] for i, name in enumerate(names)}  # (B, 1, 1) each

    def __getitem__(self, name: str) -> Tensor:
        """The column ``name``, shape (B, 1, 1)."""
        return self._columns[name]

    def color(self, name: str) -> Tensor:
        """The three columns ``name_r``, ``name_g``, ``name_b``, shape (B, 3, 1, 1)."""
        return torch.stack([self._columns[f'{name}_{channel}'] for channel in 'rgb'], dim=1)
