"""The crop of LivePortrait (arXiv 2407.03168): by landmarks, turned so that the face is upright."""

import math
from typing import Sequence

import numpy as np

from leokit.croppers.base import Cropper, CropRegion
from leokit.face_detectors import Face
from leokit.registry import CROPPERS
from leokit.utils import UserError

# Of 68 points, from 0: the upper and lower lid above and below each pupil, and the corners of the mouth.
EYES = ((37, 40), (43, 46))
MOUTH = (48, 54)


@CROPPERS.register_module()
class LandmarkCropper(Cropper):
    """A square around all landmarks, measured along the axis from the eyes to the mouth.

    Of several frames, the mean of their squares is taken.

    Args:
        scale (float): Side relative to the longer side of the box around the landmarks.
        shift (float): Along the axis from the eyes to the mouth, relative to the side of the square.
        rotate (bool): Turn the square, so that the face is upright in it.
    """

    needs_landmarks = True

    def __init__(self, scale: float = 2.3, shift: float = -0.125, rotate: bool = True) -> None:
        if scale <= 0:
            raise ValueError(f'scale must be positive, got {scale}')
        self.scale = scale
        self.shift = shift
        self.rotate = rotate

    def region(self, faces: Sequence[Face], frame_size: tuple[int, int]) -> CropRegion:
        if any(face.landmarks is None for face in faces):
            raise UserError('this crop needs landmarks; use the face detector dlib')
        regions = np.array([self._square(face.landmarks) for face in faces])
        angles = np.unwrap(regions[:, 4])  # so that 179 and -179 degrees have the mean 180
        return CropRegion(*map(float, regions[:, :4].mean(axis=0)), float(angles.mean()))

    def _square(self, points: np.ndarray) -> CropRegion:
        eyes = np.mean([points[list(lids)].mean(axis=0) for lids in EYES], axis=0)
        down = points[list(MOUTH)].mean(axis=0) - eyes
        length = np.linalg.norm(down)
        down = down / length if length > 1 else np.array((0.0, 1.0))
        across = np.array((down[1], -down[0]))
        axes = np.stack([across, down])  # x and y of the upright face
        local = points @ axes.T
        low, high = local.min(axis=0), local.max(axis=0)
        side = float((high - low).max() * self.scale)
        center = ((low + high) / 2) @ axes + self.shift * side * down
        angle = math.atan2(across[1], across[0]) if self.rotate else 0.0
        return CropRegion(float(center[0]), float(center[1]), side, side, angle)
