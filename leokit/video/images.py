"""Read an image of any mode as 8-bit RGB.

With PIL, not ``mmcv.imread``: modes, alpha, EXIF orientation and 16-bit values have to be known to be converted as
documented, and OpenCV converts them without telling.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from leokit.utils import UserError

IMAGE_SUFFIXES = frozenset({'.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff'})
TRANSPARENT_BACKGROUND = (255, 255, 255)  # color behind transparent pixels


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as uint8 RGB, shape (H, W, 3).

    Grayscale, palette and CMYK images become RGB. Transparent images are composited over white. 16-bit images keep
    their upper eight bits. EXIF orientation is applied. Of an animation, the first frame is read. Float and 32-bit
    images are refused, because their range is unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'the image {path} {"is a folder" if path.is_dir() else "does not exist"}; check the path')
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(ImageOps.exif_transpose(image), str(path), file_format=image.format)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f'{path} is not a readable image; pass a PNG or JPEG file') from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f'the image {path} cannot be read ({error}); save it again as PNG or JPEG') from error


def to_rgb(image: Image.Image, name: str, *, file_format: str | None = None) -> np.ndarray:
    """Convert a PIL image of any mode to uint8 RGB, shape (H, W, 3), as :func:`read_image` does.

    Args:
        image (Image.Image): The image.
        name (str): Name for error messages.
        file_format (str, optional): The format it was read from, which decides the meaning of mode ``I``.
    """
    if image.mode.startswith('I;16') or (image.mode == 'I' and file_format == 'PNG'):  # older Pillow: I for 16-bit PNG
        high_bytes = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(high_bytes[..., None], 3, axis=-1)
    if image.mode in ('I', 'F'):
        raise UserError(f'the image {name} has {"float" if image.mode == "F" else "32-bit"} pixels of unknown range; '
                        'save it with 8 or 16 bits')
    if image.mode in ('LA', 'La', 'PA', 'RGBA', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        background = Image.new('RGBA', image.size, TRANSPARENT_BACKGROUND + (255,))
        image = Image.alpha_composite(background, image)
    return np.array(image.convert('RGB'))
