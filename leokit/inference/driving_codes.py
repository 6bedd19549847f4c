"""Motion codes of a driving video in a file: encoded once, used for many sources.

The file is an uncompressed NumPy archive ``.npz`` with ``motion_codes`` (T, N) float32, ``fps`` (numerator and
denominator, int64) and ``animator`` (SHA-256 of the animator's weights as text).
"""

import zipfile
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from leokit.models import Animator
from leokit.utils import UserError, check_shape
from leokit.utils.files import atomic_path, clear_write_errors, local_path
from leokit.utils.same_animator import CodeOrigin, check_same_animator
from leokit.video import IMAGE_SUFFIXES
from leokit.video.frame_rate import exact_rate, is_same_rate, regular_times, resampled_indices

CODES_KEY = 'motion_codes'
SUFFIX = '.npz'


@dataclass(frozen=True)
class DrivingCodes:
    """The motion codes of a video.

    Args:
        codes (Tensor): Shape (T, N), float32.
        fps (float): Frames per second.
        origin (CodeOrigin): Whose codes they are.
    """

    codes: Tensor
    fps: float
    origin: CodeOrigin

    def __post_init__(self) -> None:
        check_shape('codes', self.codes, (None, None))
        if not len(self.codes):
            raise UserError(f'{self.origin.name} holds no code; pass at least one')

    def __len__(self) -> int:
        return len(self.codes)

    def at_rate(self, fps: float) -> 'DrivingCodes':
        """The same motion at another rate, resampled by time; the duration stays."""
        if is_same_rate(fps, self.fps):
            return self
        indices = resampled_indices(regular_times(len(self), self.fps), fps, self.fps)
        return replace(self, codes=self.codes[torch.from_numpy(indices)], fps=fps)

    def save(self, path: str | Path) -> None:
        """Write the codes to a ``.npz`` file."""
        path = local_path(path)
        if path.suffix.lower() != SUFFIX:
            raise UserError(f'{path} must end in {SUFFIX} to hold motion codes')
        rate = exact_rate(self.fps)
        with clear_write_errors(path), atomic_path(path) as part, part.open('wb') as file:
            np.savez(file, **{CODES_KEY: self.codes.float().cpu().numpy()},
                     fps=np.array([rate.numerator, rate.denominator]),
                     animator=np.array(self.origin.animator_hash or ''))

    @classmethod
    def load(cls, path: str | Path) -> 'DrivingCodes':
        """Read a file that :meth:`save` wrote."""
        path = local_path(path)
        try:
            with np.load(path, allow_pickle=False) as archive:
                codes, fps = archive[CODES_KEY], archive['fps']
                animator = str(archive['animator']) or None
            rate = float(Fraction(int(fps[0]), int(fps[1])))
            if codes.dtype.kind == 'f' and not np.isfinite(codes).all():
                raise ValueError(f'{int((~np.isfinite(codes)).sum())} of its {codes.size} numbers are NaN or infinite')
            if codes.ndim != 2 or codes.dtype.kind != 'f' or rate <= 0:
                raise ValueError(f'codes of {codes.dtype} with shape {codes.shape} at {rate:g} frames per second')
        except FileNotFoundError as error:
            raise UserError(f'{path} does not exist; check the path') from error
        except (ValueError, OSError, EOFError, KeyError, IndexError, TypeError, ZeroDivisionError,
                zipfile.BadZipFile) as error:
            raise UserError(f'{path} is no file of motion codes ({error}); write one with leokit animate '
                            '--save-codes') from error
        return cls(torch.from_numpy(codes.astype(np.float32)), rate, CodeOrigin(str(path), animator, codes.shape[1]))

    def check_animator(self, animator: Animator) -> None:
        """Raise a :class:`UserError` unless the animator is the one that encoded the video."""
        check_same_animator(self.origin, animator.code_origin)


def is_code_file(path: object) -> bool:
    """Whether a path is that of a file with motion codes; other ``.npz`` files are arrays of frames."""
    if not isinstance(path, (str, Path)) or Path(path).suffix.lower() != SUFFIX:
        return False
    try:
        with zipfile.ZipFile(local_path(path)) as archive:
            return f'{CODES_KEY}.npy' in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def is_image_driver(driving: object) -> bool:
    """Whether a driver is a single image: a PIL image, or the path of an image file."""
    if isinstance(driving, (str, Path)):
        return Path(driving).suffix.lower() in IMAGE_SUFFIXES and not Path(driving).is_dir()
    return isinstance(driving, Image.Image)
