"""An image that was edited elsewhere: in an image editor, or by a generative model with a prompt."""

from pathlib import Path

import numpy as np

from leokit.image_editors.base import ImageEditor
from leokit.registry import IMAGE_EDITORS
from leokit.video import read_image


@IMAGE_EDITORS.register_module()
class EditedFile(ImageEditor):
    """Reads the edited image from a file.

    Args:
        path (str | Path): The edited first frame.
    """

    edits_any_image = False

    def __init__(self, path: str | Path) -> None:
        self._edited = read_image(path)

    def edit(self, image: np.ndarray) -> np.ndarray:
        return self._edited
