"""What an image editor is, and the region that it may be confined to."""

import inspect
from abc import ABC, abstractmethod
from typing import Any, Mapping, Sequence

import cv2
import numpy as np

from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError
from leokit.utils.errors import suggest

EVERYWHERE = (0.0, 0.0, 1.0, 1.0)


class ImageEditor(ABC):
    """Changes a picture. An editor keeps no state and is deterministic, unless it is a generative model.

    Attributes:
        edits_any_picture (bool): False for an editor that was made for one picture and gives the same, whatever it is
            shown.
    """

    edits_any_picture = True

    @abstractmethod
    def edit(self, image: np.ndarray) -> np.ndarray:
        """Change a picture.

        Args:
            image (np.ndarray): uint8 RGB, shape (H, W, 3); it is not changed itself.

        Returns:
            np.ndarray: uint8 RGB; another size is cropped and resized as any picture is.

        Raises:
            UserError: If the edit cannot be made.
        """


class Region:
    """A part of a picture with soft edges.

    Args:
        box (Sequence[float]): Left, top, right and bottom as fractions of the sides.
        feather (float): Width of the soft edge, as a fraction of the shorter side of the picture.

    Raises:
        UserError: If the box is empty or leaves the picture, or ``feather`` is negative.
    """

    def __init__(self, box: Sequence[float] = EVERYWHERE, feather: float = 0.0) -> None:
        if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
            raise UserError(f'a box is (left, top, right, bottom) with 0 <= left < right <= 1 and 0 <= top < bottom <= '
                            f'1, as in (0.2, 0.1, 0.8, 0.5), got {tuple(box)}')
        if feather < 0:
            raise UserError(f'feather must not be negative, got {feather}')
        self.box = tuple(box)
        self.feather = feather

    def pixels(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of a picture of this size; never empty."""
        left, top, right, bottom = self.box
        rows = slice(int(top * height), max(int(top * height) + 1, round(bottom * height)))
        columns = slice(int(left * width), max(int(left * width) + 1, round(right * width)))
        return rows, columns

    def mask(self, height: int, width: int) -> np.ndarray:
        """Share of the edit at each pixel, float32 in [0, 1], shape (H, W, 1)."""
        mask = np.zeros((height, width), np.float32)
        mask[self.pixels(height, width)] = 1
        sigma = self.feather * min(height, width) / 2
        if sigma > 0:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        return mask[..., None]

    def blend(self, image: np.ndarray, edited: np.ndarray) -> np.ndarray:
        """Lay the edited picture over the other within the region; all uint8, shape (H, W, 3)."""
        mask = self.mask(*image.shape[:2])
        return np.rint(image + mask * (edited.astype(np.float32) - image)).astype(np.uint8)


def build_editor(config: Mapping[str, Any]) -> ImageEditor:
    """Make an editor of a config.

    Args:
        config (Mapping): ``type`` and arguments of an editor in IMAGE_EDITORS.

    Returns:
        ImageEditor: The editor.

    Raises:
        UserError: If the type or an argument is unknown.
    """
    arguments = dict(config)
    kind = str(arguments.pop('type', None))
    editor = IMAGE_EDITORS.get(kind)
    if editor is None:
        known = ', '.join(sorted(IMAGE_EDITORS.module_dict))
        raise UserError(f'there is no image editor {kind}; choose one of {known}')
    options = inspect.signature(editor).parameters
    unknown = next((key for key in arguments if key not in options), None)
    if unknown is not None:
        raise UserError(f'the image editor {kind} has no option {unknown}{suggest(unknown, options)}; it has '
                        f'{", ".join(options)}')
    missing = [key for key, option in options.items() if option.default is option.empty and key not in arguments]
    if missing:
        raise UserError(f'the image editor {kind} needs {", ".join(missing)}; pass them as options, KEY=VALUE')
    try:
        return editor(**arguments)
    except TypeError as error:  # a value of another kind
        given = ', '.join(f'{key}={value!r}' for key, value in arguments.items())
        raise UserError(f'the image editor {kind} cannot use {given}: one of them is of the wrong kind '
                        f'({error})') from error
