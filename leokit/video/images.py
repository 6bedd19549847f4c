"""Read an image of any mode as 8-bit RGB.

With PIL, not ``mmcv.imread``: modes, alpha, EXIF orientation and 16-bit values have to be known to be converted as
documented, and OpenCV converts them without telling.
"""

import io
import logging
import threading
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mmengine.logging import print_log
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin, UnidentifiedImageError

from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.file_kind import IMAGE, content_note, is_heif
from leokit.video.png import lacks_rows

IMAGE_SUFFIXES = frozenset({'.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff', '.heic', '.heif', '.avif'})
TRANSPARENT_BACKGROUND = (255, 255, 255)  # color behind transparent pixels
TIFF_YCBCR, TIFF_UNCOMPRESSED = 6, 1  # values of its tags
MAGIC_BYTES = 12  # of a HEIF file: the length of a box, 'ftyp' and the brand
_libtiff_lock = threading.Lock()


def read_image(source: str | Path | bytes | BinaryIO, *,
               background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> np.ndarray:
    """Read an image file as uint8 RGB, shape (H, W, 3).

    Grayscale, palette and CMYK images become RGB. Color profiles (ICC) are converted to sRGB. Transparent images are
    composited over ``background``. 16-bit images keep their upper eight bits. EXIF orientation is applied. Of an
    animation, the first frame is read. HEIC needs the extra ``heif``. Float and 32-bit images are refused, because
    their range is unknown.

    Args:
        source (str | Path | bytes | BinaryIO): A file, its content, or an open binary file.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _read(io.BytesIO(source), 'of the given bytes', background)
    if hasattr(source, 'read'):
        return _read(source, str(getattr(source, 'name', 'of the given file object')), background)
    path = local_path(source)
    if not path.is_file():
        raise UserError(f'the image {path} {"is a folder" if path.is_dir() else "does not exist"}; check the path')
    return _read(path, str(path), background)


def _read(file: Path | BinaryIO, name: str, background: tuple[int, int, int]) -> np.ndarray:
    try:
        with _open(file, name) as image:
            image.load()
            if image.format == 'PNG' and _may_lack_rows(image) and lacks_rows(file):
                raise UserError(f'the image {name} has fewer rows than its header says; save it again')
            return to_rgb(ImageOps.exif_transpose(image), name, file_format=image.format, background=background)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f'the image {name} is not a readable image{content_note(file, IMAGE)}; pass a PNG or JPEG '
                        'file') from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f'the image {name} cannot be read ({error}); save it again as PNG or JPEG') from error


def _may_lack_rows(image: Image.Image) -> bool:
    """Rows that are missing are zero; of an interlaced image they are scattered."""
    return bool(image.info.get('interlace')) or not np.asarray(image.crop((0, image.height - 1, *image.size))).any()


def _open(file: Path | BinaryIO, name: str) -> Image.Image:
    """Open an image; HEIF is registered with Pillow when the first file needs it."""
    try:
        image = Image.open(file)
        return _open_with_libtiff(image, file) if _is_plain_ycbcr(image) else image
    except UnidentifiedImageError:
        if not _is_heif(file):
            raise
    try:
        import pillow_heif  # optional
    except ImportError as error:
        raise UserError(f'the image {name} is a HEIC or AVIF image, which needs the package pillow-heif; install it '
                        'with: pip install "leokit[heif]", or save the image as PNG or JPEG') from error
    pillow_heif.register_heif_opener()
    return Image.open(file)


def _is_plain_ycbcr(image: Image.Image) -> bool:
    """Whether this is a TIFF file of uncompressed YCbCr, which Pillow takes for four bytes per pixel."""
    tags = getattr(image, 'tag_v2', {}) if image.format == 'TIFF' else {}
    return (tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == TIFF_YCBCR
            and tags.get(TiffImagePlugin.COMPRESSION) == TIFF_UNCOMPRESSED)


def _open_with_libtiff(image: Image.Image, file: Path | BinaryIO) -> Image.Image:
    """Open a TIFF file again, to be decoded by libtiff as those with compression are."""
    if isinstance(file, Path):
        image.close()
    else:  # it would be closed, too
        file.seek(0)
    with _libtiff_lock:
        TiffImagePlugin.READ_LIBTIFF, before = True, TiffImagePlugin.READ_LIBTIFF
        try:
            return Image.open(file)
        finally:
            TiffImagePlugin.READ_LIBTIFF = before


def _is_heif(file: Path | BinaryIO) -> bool:
    if isinstance(file, Path):
        with file.open('rb') as content:
            head = content.read(MAGIC_BYTES)
    else:
        file.seek(0)
        head = file.read(MAGIC_BYTES)
        file.seek(0)
    return is_heif(head)


def to_rgb(image: Image.Image, name: str, *, file_format: str | None = None,
           background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> np.ndarray:
    """Convert a PIL image of any mode to uint8 RGB, shape (H, W, 3), as :func:`read_image` does.

    Args:
        image (Image.Image): The image.
        name (str): Name for error messages.
        file_format (str, optional): The format it was read from, which decides the meaning of mode ``I``.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """
    if image.mode.startswith('I;16') or (image.mode == 'I' and file_format == 'PNG'):  # older Pillow: I for 16-bit PNG
        high_bytes = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(high_bytes[..., None], 3, axis=-1)
    if image.mode in ('I', 'F'):
        raise UserError(f'the image {name} has {"float" if image.mode == "F" else "32-bit"} pixels of unknown range; '
                        'save it with 8 or 16 bits')
    image = to_srgb(image, name)
    if image.mode in ('LA', 'La', 'PA', 'RGBA', 'RGBa') or 'transparency' in image.info:
        return over_background(np.asarray(image.convert('RGBA')), background)
    return np.array(image.convert('RGB'))


def over_background(pixels: np.ndarray, background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> np.ndarray:
    """Composite RGBA pixels over a color: uint8 (H, W, 4) -> (H, W, 3)."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    canvas = Image.new('RGBA', image.size, (*background, 255))
    return np.array(Image.alpha_composite(canvas, image).convert('RGB'))


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """Convert the colors of an image with an embedded ICC profile to sRGB, in relative colorimetry.

    An image without a profile, or with that of sRGB, is returned as it is. A profile that cannot be used is named in a
    warning and ignored.
    """
    profile = image.info.get('icc_profile')
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if 'srgb' in ImageCms.getProfileDescription(source).lower():
            return image
        opaque, alpha = _split_alpha(image)
        converted = ImageCms.profileToProfile(
            opaque, source, ImageCms.createProfile('sRGB'), outputMode='RGB',
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        print_log(f'the color profile of the image {name} cannot be used ({error}); its colors are taken to be sRGB',
                  logger='current', level=logging.WARNING)
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colors of an image in a mode that profiles apply to, and its transparency."""
    if image.mode in ('LA', 'La', 'PA', 'RGBA', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        return image.convert('RGB'), image.getchannel('A')
    return (image if image.mode in ('L', 'RGB', 'CMYK', 'LAB') else image.convert('RGB')), None
