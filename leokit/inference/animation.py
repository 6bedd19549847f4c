"""Motion transfer: a source picture moves as a driving video does (LIA, ICLR 2022, section 3.4)."""

from typing import Iterator, Sequence

from torch import Tensor

from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.utils import UserError
from leokit.video import ImageInput, VideoInput, iterate_frames, read_images

TRANSFER_MODES = ('relative', 'absolute')


class VideoAnimator:
    """Animates pictures with the motion of a video.

    Args:
        animator (Animator): A trained animator; it is put into evaluation mode.
        amp (bool): Encode and decode under bfloat16 autocast.
    """

    def __init__(self, animator: Animator, *, amp: bool = False) -> None:
        self.animator = animator.eval()
        self.amp = amp

    def codes(self, video: VideoInput, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """The motion codes of a video, decoded and encoded piece by piece.

        Args:
            video (VideoInput): A path, a reader's handle or a tensor of frames.
            chunk_size (int): Frames per piece.

        Yields:
            Tensor: Codes of consecutive frames, shape (1, t, N).
        """
        for frames in iterate_frames(video, self.animator.size, chunk_size=chunk_size, crop=self.animator.crop):
            yield encode(self.animator, frames, amp=self.amp).motion.float()[None]

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput, *, mode: str = 'relative',
                chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """Move the sources as the driving video moves.

        Relative transfer adds the driving motion since its first frame to the source's own pose; it fits when the
        first driving frame and the source show about the same pose. Absolute transfer takes the driving pose itself.

        Args:
            source (ImageInput | Sequence[ImageInput]): One picture or B of them.
            driving (VideoInput): A path, a reader's handle or a tensor of frames.
            mode (str): ``'relative'`` or ``'absolute'``.
            chunk_size (int): Frames per forward pass.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), one for each driving frame.

        Raises:
            UserError: If the mode is unknown or an input cannot be read.
        """
        check_transfer_mode(mode)
        images = read_images(source, self.animator.size, crop=self.animator.crop)
        encoding = encode(self.animator, images, amp=self.amp)
        sources = len(encoding.motion)
        start = None
        for codes in self.codes(driving, chunk_size=chunk_size):
            if start is None and mode == 'relative':
                start = codes[:, 0].expand(sources, -1)
            yield from render(self.animator, encoding, codes.expand(sources, -1, -1), start=start,
                              chunk_size=chunk_size, amp=self.amp)


def check_transfer_mode(mode: str) -> None:
    """Refuse a transfer mode that is none.

    Args:
        mode (str): What was asked for.

    Raises:
        UserError: If it is not in ``TRANSFER_MODES``.
    """
    if mode not in TRANSFER_MODES:
        raise UserError(f'unknown transfer mode {mode!r}; choose one of {", ".join(TRANSFER_MODES)}')
