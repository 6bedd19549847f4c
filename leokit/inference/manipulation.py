"""Linear manipulation: images and videos moved along directions of the motion space.

See LEO, arXiv 2305.03989, and LIA, ICLR 2022, section 4.4.

A direction is a vector in code space: one entry of the code, or a named weighted sum of entries. Names are defined in a
small JSON file next to the checkpoint whose motion space they describe::

    {"turn": 3, "nod": {"5": 0.8, "11": -0.3}}

Offsets along directions are summed, so the order of edits does not matter.
"""

import json
from pathlib import Path
from typing import Iterator, Mapping

import torch
from torch import Tensor

from leokit.inference.animation import VideoAnimator
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.utils import UserError, check_shape
from leokit.utils.checkpoints import NAMES_FILE
from leokit.video import ImageInput, VideoInput, read_first_frame, read_images, reusable_video


class DirectionNames:
    """Names of directions of one animator's motion space.

    Args:
        motion_dim (int): Motion dimension N.
        names (Mapping, optional): By name the number of a direction, or weights by number.
        source (str): Where the names are from, for error messages.
    """

    def __init__(self, motion_dim: int, names: Mapping[str, int | Mapping[str, float]] | None = None, *,
                 source: str = 'the names') -> None:
        self.motion_dim = motion_dim
        self._source = source
        self._vectors = {name: self._vector(name, meaning) for name, meaning in (names or {}).items()}

    @classmethod
    def of_checkpoint(cls, checkpoint: str | Path, motion_dim: int) -> 'DirectionNames':
        """Read the names that belong to an animator's checkpoint or work dir; without a file there are none.

        The names of ``iter_5.pth`` are in ``iter_5.directions.json``, or else in ``directions.json`` of its folder.
        """
        checkpoint = Path(checkpoint)
        folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
        for path in (checkpoint.with_suffix('.' + NAMES_FILE), folder / NAMES_FILE):
            if path.is_file():
                try:
                    names = json.loads(path.read_text())
                except (ValueError, RecursionError) as error:
                    raise UserError(f'{path} is not JSON ({error}); write {{"name": number, ...}}') from error
                if not isinstance(names, dict):
                    raise UserError(f'{path} is not a table of names; write {{"name": number, ...}}')
                return cls(motion_dim, names, source=str(path))
        return cls(motion_dim)

    @property
    def names(self) -> tuple[str, ...]:
        """tuple[str, ...]: All names."""
        return tuple(self._vectors)

    def vector(self, direction: str | int) -> Tensor:
        """The vector (N,) of a direction, by its name or its number from 0 to N - 1."""
        if direction in self._vectors:
            return self._vectors[direction]
        try:
            number = int(direction)
        except ValueError:
            number = -1
        if not 0 <= number < self.motion_dim:
            known = f' or {", ".join(self._vectors)}' if self._vectors else f'; {NAMES_FILE} can name them'
            raise UserError(f'there is no direction {direction!r}; give a number from 0 to '
                            f'{self.motion_dim - 1}{known}')
        return torch.eye(self.motion_dim)[number]

    def offset(self, amounts: Mapping[str | int, float]) -> Tensor:
        """The sum (N,) of offsets along several directions, given by name or number."""
        return sum((amount * self.vector(direction) for direction, amount in amounts.items()),
                   torch.zeros(self.motion_dim))

    def _vector(self, name: str, meaning: int | Mapping[str, float]) -> Tensor:
        vector = torch.zeros(self.motion_dim)
        try:
            weights = meaning if isinstance(meaning, Mapping) else {meaning: 1.0}
            for number, weight in weights.items():
                if not 0 <= int(number) < self.motion_dim:
                    raise ValueError
                vector[int(number)] += float(weight)
        except (ValueError, TypeError) as error:
            raise UserError(f'{self._source}: {name!r} must be a number from 0 to {self.motion_dim - 1}, or weights by '
                            f'such numbers, got {meaning!r}') from error
        return vector


def manipulate_image(animator: Animator, image: ImageInput, offsets: Tensor, *,
                     chunk_size: int = CHUNK_SIZE) -> Tensor:
    """Render an image with each of several offsets added to its motion code.

    Args:
        animator (Animator): A trained animator in evaluation mode.
        image (ImageInput): The image.
        offsets (Tensor): Code offsets, shape (K, N).
        chunk_size (int): Images per forward pass.

    Returns:
        Tensor: Images in [-1, 1], shape (K, 3, H, W).
    """
    check_shape('offsets', offsets, (None, animator.motion_dim))
    _check_finite(offsets)
    encoding = encode(animator, read_images(image, animator.size, crop=animator.crop))
    motion = encoding.motion[:, None] + offsets.to(encoding.motion)  # (1, K, N)
    return torch.cat(list(render(animator, encoding, motion, chunk_size=chunk_size)), dim=1)[0]


def manipulate_video(animator: Animator, video: VideoInput, offsets: Tensor, *,
                     chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
    """Render the first frame of a video with its own motion codes plus each of several offsets.

    Args:
        animator (Animator): A trained animator in evaluation mode.
        video (VideoInput): The video; it is decoded chunk by chunk.
        offsets (Tensor): Code offsets, shape (K, N).
        chunk_size (int): Frames per forward pass, counted over the offsets.

    Returns:
        Iterator[Tensor]: Consecutive frames in [-1, 1], shape (K, t, 3, H, W).
    """
    check_shape('offsets', offsets, (None, animator.motion_dim))
    _check_finite(offsets)
    video = reusable_video(video)
    encoding = encode(animator, read_first_frame(video, animator.size, crop=animator.crop))
    codes = VideoAnimator(animator).codes(video, chunk_size=max(1, chunk_size // len(offsets)))
    moved = (piece + offsets.to(piece)[:, None] for piece in codes)  # (K, t, N) each
    return render(animator, encoding, moved, chunk_size=chunk_size)


def _check_finite(offsets: Tensor) -> None:
    if not torch.isfinite(offsets).all():
        raise UserError('the offsets along directions must be finite numbers that float32 can hold')
