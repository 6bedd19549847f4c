"""A picture that was edited elsewhere: in a paint program, or by a generative model with a prompt."""

from pathlib import Path

import numpy as np

from leokit.image_editors.base import ImageEditor
from leokit.registry import IMAGE_EDITORS
from leokit.video import read_image


@IMAGE_EDITORS.register_module()
class EditedFile(ImageEditor):
    """Takes the edited picture from a file.

    Args:
        path (str | Path): The edited first frame.

    Raises:
        UserError: If it cannot be read.
    """

    edits_any_picture = False

    def __init__(self, path: str | Path) -> None:
        self._picture = read_image(path)

    def edit(self, image: np.ndarray) -> np.ndarray:
        """See the base class; what is in the file, whatever the picture."""
        return self._picture
