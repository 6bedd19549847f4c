"""Identity embeddings (128-d) of aligned faces."""

from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.base import full_precision
from leokit.feature_extractors.dlib_resnet import CHIP_SIZE, DIM, DlibFaceResNet
from leokit.feature_extractors.face_detection import DETECTION_RESOLUTION, FaceExtractor, import_dlib, model_file
from leokit.registry import FEATURE_EXTRACTORS

PREDICTOR_FILE = 'shape_predictor_5_face_landmarks.dat'
NETWORK_FILE = 'dlib_face_recognition_resnet_model_v1.dat'


@FEATURE_EXTRACTORS.register_module()
class FaceIdentity(FaceExtractor):
    """dlib's face recognition: detection, alignment by five landmarks, embedding.

    Embeddings of one person are within 0.6 of each other (Euclidean distance; dlib's threshold, 99.4 % on LFW).
    Detection and alignment run frame by frame on threads, the network on the batch and on the device of this module.

    Args:
        resolution (int): Length of the shorter side of the frames for detection.
        upsample (int): How often a frame without a detection is upsampled by 2 and searched again.
        workers (int, optional): Number of threads; default: one per core, at most 8.
    """

    dim = DIM
    label = 'dlib_identity'

    def __init__(self, *, resolution: int = DETECTION_RESOLUTION, upsample: int = 1, workers: int | None = None):
        super().__init__(PREDICTOR_FILE, resolution=resolution, upsample=upsample, workers=workers)
        self._files.append(model_file(NETWORK_FILE))
        self.network = DlibFaceResNet(self._files[-1])
        self.freeze()

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        chips = self.map_faces(images, _chip)
        indices = [index for index, chip in enumerate(chips) if chip is not None]
        if not indices:
            return torch.zeros(0, dtype=torch.long, device=images.device), images.new_zeros(0, DIM, dtype=torch.float32)
        batch = rearrange(torch.from_numpy(np.stack([chips[index] for index in indices])), 'k h w c -> k c h w')
        device = self.network.embed.weight.device
        with full_precision(device):
            embeddings = self.network(batch.to(device))
        return torch.tensor(indices, device=images.device), embeddings.to(images.device)


def _chip(frame: np.ndarray, shape: Any) -> np.ndarray:
    return import_dlib().get_face_chip(frame, shape, CHIP_SIZE)
