"""Reading one picture as 8-bit RGB, whatever mode it was saved in."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leokit.utils import UserError

if TYPE_CHECKING:
    from PIL import Image

IMAGE_SUFFIXES = frozenset({'.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff'})
TRANSPARENT_BACKGROUND = (255, 255, 255)  # what shows through transparent pixels


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture as RGB.

    Gray, palette and CMYK pictures become RGB. Transparent pixels are laid over white. Sixteen-bit pictures keep
    their upper eight bits. The orientation tag of cameras is obeyed. Of an animation, the first frame is read.

    Args:
        path (str | Path): A picture file.

    Returns:
        np.ndarray: uint8 RGB, shape (H, W, 3).

    Raises:
        UserError: If the file is missing, broken, no picture, or has values without a known range (float and 32-bit
            pictures).
    """
    from PIL import Image, ImageOps, UnidentifiedImageError
    path = Path(path)
    if not path.is_file():
        raise UserError(f'the picture {path} {"is a folder" if path.is_dir() else "does not exist"}; check the path')
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(ImageOps.exif_transpose(image), str(path), file_format=image.format)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f'{path} is no picture that can be read; pass a PNG or JPEG file') from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f'the picture {path} cannot be read ({error}); save it again as PNG or JPEG') from error


def to_rgb(image: 'Image.Image', name: str, *, file_format: str | None = None) -> np.ndarray:
    """Turn a PIL image of any mode into RGB; see :func:`read_image` for what happens to each mode.

    Args:
        image (Image.Image): The picture.
        name (str): What errors call it.
        file_format (str, optional): The format it was read from, which decides what mode ``I`` holds.

    Returns:
        np.ndarray: uint8 RGB, shape (H, W, 3).

    Raises:
        UserError: If the values have no known range.
    """
    from PIL import Image
    if image.mode.startswith('I;16') or (image.mode == 'I' and file_format == 'PNG'):  # older Pillow: I for 16-bit PNG
        high_bytes = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(high_bytes[..., None], 3, axis=-1)
    if image.mode in ('I', 'F'):
        raise UserError(f'the picture {name} has {"float" if image.mode == "F" else "32-bit"} pixels of unknown range; '
                        'save it with 8 or 16 bits')
    if image.mode in ('LA', 'La', 'PA', 'RGBA', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        background = Image.new('RGBA', image.size, TRANSPARENT_BACKGROUND + (255,))
        image = Image.alpha_composite(background, image)
    return np.array(image.convert('RGB'))
