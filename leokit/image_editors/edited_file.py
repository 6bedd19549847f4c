"""An image that was edited elsewhere: in an image editor, or by a generative model with a prompt."""

from pathlib import Path

import numpy as np

from leokit.croppers import CropRegion, crop_region
from leokit.image_editors.base import ImageEditor
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError
from leokit.video import read_image

ASPECT_TOLERANCE = 0.02


@IMAGE_EDITORS.register_module()
class EditedFile(ImageEditor):
    """Reads the edited image from a file.

    Args:
        path (str | Path): The edited first frame.
    """

    edits_any_image = False

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._edited = read_image(path)

    def crop(self, region: CropRegion, frame_size: tuple[int, int]) -> None:
        """Keep a region of the frame (height, width) that was edited; the edited image may be resized."""
        self._edited = region_of_edited(self._edited, region, frame_size, str(self._path))

    def edit(self, image: np.ndarray) -> np.ndarray:
        return self._edited


def region_of_edited(edited: np.ndarray, region: CropRegion, frame_size: tuple[int, int], name: str) -> np.ndarray:
    """The region of a frame (height, width), cut from the edited frame, uint8 (H, W, 3), which may be resized."""
    height, width = edited.shape[:2]
    if abs(width * frame_size[0] / (height * frame_size[1]) - 1) > ASPECT_TOLERANCE:
        raise UserError(f'{name} has {width}x{height} pixels, another shape than the first frame of the video '
                        f'({frame_size[1]}x{frame_size[0]}), from which the face is cropped; edit the whole first '
                        'frame')
    return crop_region(edited, region.scaled(width / frame_size[1], height / frame_size[0]))
