"""The optional packages of dlib and its models, and its detector on resized frames.

Detector: histogram of oriented gradients (Dalal & Triggs 2005, as in dlib). Landmarks: Kazemi & Sullivan, "One
Millisecond Face Alignment with an Ensemble of Regression Trees", CVPR 2014. The models are from the package
``face-recognition-models``.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8

DETECTION_RESOLUTION = 256  # shorter side of the frames; faces are found from a third of it
DEFAULT_UPSAMPLE = 1
MODELS_PACKAGE = 'face_recognition_models'
LANDMARK_FILE = 'shape_predictor_68_face_landmarks.dat'


def import_dlib() -> Any:
    """The optional module ``dlib``."""
    try:
        import dlib
    except ImportError as error:
        raise UserError('face detection and its features need the packages dlib-bin and face-recognition-models; '
                        'install them with: pip install "leokit[identity]"') from error
    return dlib


def model_file(name: str) -> Path:
    """A file of ``face-recognition-models``, a package that cannot be imported: it needs the removed pkg_resources."""
    spec = find_spec(MODELS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError('face detection and its features need the package face-recognition-models; '
                        'install it with: pip install "leokit[identity]"')
    path = Path(spec.submodule_search_locations[0]) / 'models' / name
    if not path.is_file():
        raise UserError(f'{path} is missing; reinstall the package face-recognition-models')
    return path


def detection_size(height: int, width: int, resolution: int) -> tuple[int, int]:
    """Height and width of a frame whose shorter side is resized to ``resolution``."""
    shorter = min(height, width)
    return round(height * resolution / shorter), round(width * resolution / shorter)


def resize_to_bytes(images: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Images (B, 3, H, W) in [-1, 1] to uint8 (B, h, w, 3)."""
    images = F.interpolate(images, size, mode='bilinear', antialias=True)
    return rearrange(to_uint8(images), 'b c h w -> b h w c').contiguous().cpu().numpy()


def resize_frame(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A uint8 frame (H, W, 3), resized for detection."""
    pixels = rearrange(torch.from_numpy(np.ascontiguousarray(frame)), 'h w c -> 1 c h w')
    return resize_to_bytes(from_uint8(pixels), size)[0]


def search(detector: Any, frame: np.ndarray, upsample: int) -> tuple[list[Any], list[float]]:
    """Boxes and scores at the lowest upsampling that finds a face; none if there is no face."""
    for times in range(upsample + 1):
        boxes, scores, _ = detector.run(frame, times)
        if len(boxes):
            return list(boxes), list(scores)
    return [], []
