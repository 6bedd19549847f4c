"""68 landmarks of the face."""

from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.face_detection import DETECTION_RESOLUTION, FaceExtractor
from leokit.registry import FEATURE_EXTRACTORS

PREDICTOR_FILE = 'shape_predictor_68_face_landmarks.dat'
NUM_LANDMARKS = 68


@FEATURE_EXTRACTORS.register_module()
class FaceLandmarks(FaceExtractor):
    """dlib's 68 landmarks (iBUG 300-W), in pixels of the input images.

    A feature vector is x_0, y_0, x_1, y_1, ...; ``values.unflatten(1, (68, 2))`` are the points. Pixel centers have
    integer coordinates, (0, 0) is the center of the top left pixel. Points may be outside the image. dlib rounds to
    pixels of the resized frame, so points have an error of up to half a pixel at ``resolution``.

    Args:
        resolution (int): Length of the shorter side of the frames for detection.
        upsample (int): How many times a frame without a detection is upsampled by 2 and searched again.
        workers (int, optional): Number of threads; default: one per core, at most 8.
    """

    dim = 2 * NUM_LANDMARKS
    label = 'dlib_landmarks68'

    def __init__(self, *, resolution: int = DETECTION_RESOLUTION, upsample: int = 1, workers: int | None = None):
        super().__init__(PREDICTOR_FILE, resolution=resolution, upsample=upsample, workers=workers)
        self.freeze()

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        points = self.map_faces(images, _points)
        indices = [index for index, point in enumerate(points) if point is not None]
        stacked = np.reshape([points[index] for index in indices], (len(indices), NUM_LANDMARKS, 2))
        # Back to pixels of the input, x first; pixel centers are half-integers in the resize.
        (height, width), (resized_height, resized_width) = images.shape[-2:], self.resized(images)
        scale = np.array((width / resized_width, height / resized_height))
        values = rearrange(torch.from_numpy((stacked + 0.5) * scale - 0.5).float(), 'k p c -> k (p c)')
        return torch.tensor(indices, dtype=torch.long, device=images.device), values.to(images.device)


def _points(frame: np.ndarray, shape: Any) -> np.ndarray:
    return np.array([(shape.part(i).x, shape.part(i).y) for i in range(shape.num_parts)], dtype=np.float64)
