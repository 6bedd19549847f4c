"""Motion transfer: a source image moves like a driving video (LIA, ICLR 2022, section 3.4)."""

from typing import Iterator, Sequence

from einops import repeat
from torch import Tensor

from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.utils import UserError
from leokit.video import ImageInput, VideoInput, iterate_frames, read_images

TRANSFER_MODES = ('relative', 'absolute')


class VideoAnimator:
    """Animates images with the motion of a video.

    Args:
        animator (Animator): A trained animator.
        amp (bool): Encode and render under bfloat16 autocast.
    """

    def __init__(self, animator: Animator, *, amp: bool = False) -> None:
        self.animator = animator.eval()
        self.amp = amp

    def codes(self, video: VideoInput, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """The motion codes (1, t, N) of consecutive frames of a video, decoded and encoded chunk by chunk."""
        for frames in iterate_frames(video, self.animator.size, chunk_size=chunk_size, crop=self.animator.crop):
            yield encode(self.animator, frames, amp=self.amp).motion.float()[None]

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput, *, mode: str = 'relative',
                chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """Render the sources with the motion of the driving video.

        Relative transfer adds the driving motion since its first frame to the source's own pose; it fits if the first
        driving frame and the source have a similar pose. Absolute transfer takes over the driving pose.

        Args:
            source (ImageInput | Sequence[ImageInput]): One image, or B images.
            driving (VideoInput): The driving video.
            mode (str): ``'relative'`` or ``'absolute'``.
            chunk_size (int): Frames per forward pass.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), one for each driving frame.
        """
        check_transfer_mode(mode)
        images = read_images(source, self.animator.size, crop=self.animator.crop)
        encoding = encode(self.animator, images, amp=self.amp)
        start = None
        for codes in self.codes(driving, chunk_size=chunk_size):
            codes = repeat(codes, '1 t n -> b t n', b=len(encoding.motion))
            if start is None and mode == 'relative':
                start = codes[:, 0]
            yield from render(self.animator, encoding, codes, start=start, chunk_size=chunk_size, amp=self.amp)


def check_transfer_mode(mode: str) -> None:
    """Raise for an unknown transfer mode."""
    if mode not in TRANSFER_MODES:
        raise UserError(f'unknown transfer mode {mode!r}; choose one of {", ".join(TRANSFER_MODES)}')
