"""Where the face is: 68 landmarks."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from leokit.feature_extractors.face_detection import DETECTION_SIDE, FaceExtractor
from leokit.registry import FEATURE_EXTRACTORS

PREDICTOR_FILE = 'shape_predictor_68_face_landmarks.dat'
NUM_LANDMARKS = 68


@FEATURE_EXTRACTORS.register_module()
class FaceLandmarks(FaceExtractor):
    """dlib's 68 landmarks (the iBUG 300-W scheme), in pixels of the images that come in.

    A feature vector is x_0, y_0, x_1, y_1, ...; ``values.unflatten(1, (68, 2))`` gives the points. Pixel centers are at
    whole numbers, (0, 0) is the center of the top left pixel. Points may lie outside the image. dlib gives whole
    pixels of the resized frame: points are exact to half of 1 / ``side`` of the frame.

    Args:
        side (int): Shorter side of the frames in which faces are sought.
        upsample (int): Where nothing is found, how often the frame is doubled and searched again.
        workers (int, optional): Threads; by default one per core, at most 8.

    Raises:
        UserError: If dlib or its models are not installed.
        ValueError: If a number is out of range.
    """

    dim = 2 * NUM_LANDMARKS
    label = 'dlib_landmarks68'

    def __init__(self, *, side: int = DETECTION_SIDE, upsample: int = 1, workers: int | None = None):
        super().__init__(PREDICTOR_FILE, side=side, upsample=upsample, workers=workers)
        self.freeze()

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Indices (K,) of the frames with a face and their landmarks (K, 136)."""
        points = self.map_faces(images, _points)
        indices = [index for index, point in enumerate(points) if point is not None]
        stacked = np.stack([points[index] for index in indices]) if indices else np.zeros((0, NUM_LANDMARKS, 2))
        # Back to the given size, x first, by half-pixel centers as the resize itself.
        (height, width), (resized_height, resized_width) = images.shape[-2:], self.resized(images)
        scale = np.array((width / resized_width, height / resized_height))
        values = torch.from_numpy((stacked + 0.5) * scale - 0.5).float().flatten(1)
        return torch.tensor(indices, dtype=torch.long, device=images.device), values.to(images.device)


def _points(frame: np.ndarray, shape: Any) -> np.ndarray:
    return np.array([(shape.part(i).x, shape.part(i).y) for i in range(shape.num_parts)], dtype=np.float64)
