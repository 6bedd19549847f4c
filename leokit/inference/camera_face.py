"""The face in the frames of a camera: found once, then its region rests, as in the videos of training."""

import numpy as np

from leokit.croppers import CropRegion, crop_region
from leokit.inference.face_cropper import FaceCropper

SEARCH_EVERY = 25  # frames without a face from one search to the next


class CameraFace:
    """Crops camera frames to a face. Until one is found, frames are taken as a whole.

    Args:
        cropper (FaceCropper): Finds the face.
    """

    def __init__(self, cropper: FaceCropper) -> None:
        self._cropper = cropper
        self._region: CropRegion | None = None
        self._wait = 0

    def reset(self) -> None:
        """Look for the face in the next frame."""
        self._region, self._wait = None, 0

    def crop(self, frame: np.ndarray) -> tuple[np.ndarray, bool]:
        """The face in a frame, or the frame, uint8 (H, W, 3); and whether the face has just been found."""
        found = False
        if self._region is None and self._wait == 0:
            self._region = self._cropper.frame_region(frame)
            self._wait, found = SEARCH_EVERY, self._region is not None
        self._wait = max(0, self._wait - 1)
        return (frame if self._region is None else crop_region(frame, self._region, self._cropper.size)), found
