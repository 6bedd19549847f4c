"""Motion transfer: a source image moves like a driving video (LIA, ICLR 2022, section 3.4)."""

from typing import Iterator, Sequence

from torch import Tensor

from leokit.inference.driving_codes import DrivingCodes
from leokit.inference.motion_transfer import TRANSFER_MODES, MotionTransfer, check_transfer_mode
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.models import Animator
from leokit.video import ImageInput, VideoInput, iterate_frames, length_and_rate, read_images

__all__ = ['TRANSFER_MODES', 'VideoAnimator', 'check_transfer_mode']


class VideoAnimator:
    """Animates images with the motion of a video.

    Args:
        animator (Animator): A trained animator.
        amp (bool): Encode and render under bfloat16 autocast.
    """

    def __init__(self, animator: Animator, *, amp: bool = False) -> None:
        self.animator = animator.eval()
        self.amp = amp

    def codes(self, video: VideoInput | DrivingCodes, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """The motion codes (1, t, N) of consecutive frames of a video, decoded and encoded chunk by chunk."""
        if isinstance(video, DrivingCodes):
            yield from video.codes[None].split(chunk_size, dim=1)
            return
        for frames in iterate_frames(video, self.animator.size, chunk_size=chunk_size, crop=self.animator.crop):
            yield encode(self.animator, frames, amp=self.amp).motion.float()[None]

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput | DrivingCodes, *,
                mode: str = 'relative', transfer: MotionTransfer | None = None,
                chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """Render the sources with the motion of the driving video.

        Relative transfer adds the driving motion since a reference frame, by default the first one, to the source's own
        pose; it fits if that frame and the source have a similar pose. Absolute transfer takes over the driving pose.

        Args:
            source (ImageInput | Sequence[ImageInput]): One image, or B images.
            driving (VideoInput | DrivingCodes): The driving video, or its codes.
            mode (str): ``'relative'`` or ``'absolute'``.
            transfer (MotionTransfer, optional): More options, in place of ``mode``. Some need all driving codes first;
                the video is still read once.
            chunk_size (int): Frames per forward pass.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), one for each driving frame.
        """
        transfer = transfer or MotionTransfer(mode=mode)
        images = read_images(source, self.animator.size, crop=self.animator.crop)
        encoding = encode(self.animator, images, amp=self.amp)
        fps = driving.fps if isinstance(driving, DrivingCodes) else length_and_rate(driving)[1]
        motion = transfer(self.codes(driving, chunk_size=chunk_size), encoding.motion.float(), fps)
        yield from render(self.animator, encoding, motion, chunk_size=chunk_size, amp=self.amp)
