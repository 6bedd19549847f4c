"""Motion transfer: a source image moves like a driving video (LIA, ICLR 2022, section 3.4)."""

from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from leokit.inference.chunk_runner import ChunkRunner, chunk_runner
from leokit.inference.driving_codes import DrivingCodes, is_code_file, is_image_driver
from leokit.inference.motion_transfer import (
    TRANSFER_MODES, MotionTransfer, StartCandidates, check_transfer_mode)
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.inference.source_details import SourceDetails
from leokit.models import Animator
from leokit.utils.modules import device_of
from leokit.video import (
    ImageInput, VideoInput, is_frame_stream, iterate_frames, length_and_rate, read_images, reusable_video)
from leokit.video.frame_fit import SquareFit
from leokit.video.frame_rate import DEFAULT_FPS
from leokit.video.resize import to_channels_first
from leokit.video.video_input import opened

__all__ = ['TRANSFER_MODES', 'VideoAnimator', 'check_transfer_mode']


class VideoAnimator:
    """Animates images with the motion of a video.

    Args:
        animator (Animator): A trained animator.
        amp (bool): Encode and render under bfloat16 autocast.
        fixed_chunks (bool, optional): Run chunks of one size as CUDA graphs (:mod:`leokit.inference.chunk_runner`).
            Default: on a GPU, for videos of at least 8 chunks.
    """

    def __init__(self, animator: Animator, *, amp: bool = False, fixed_chunks: bool | None = None) -> None:
        self.animator = animator.eval()
        self.amp = amp
        self.fixed_chunks = fixed_chunks

    def codes(self, video: VideoInput | DrivingCodes, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """The motion codes (1, t, N) of consecutive frames of a video, decoded and encoded chunk by chunk."""
        if isinstance(video, DrivingCodes):
            yield from video.codes[None].split(chunk_size, dim=1)
            return
        device = device_of(self.animator)
        runner, first = self._runner(video, chunk_size), True
        for frames in iterate_frames(video, self.animator.size, chunk_size=chunk_size, crop=self.animator.crop,
                                     device=device):
            if runner is not None:
                yield runner.codes(frames)[None]
                continue
            # on a CPU the first frame is encoded and rendered alone, because somebody may be waiting for it
            pieces = [frames[:1], frames[1:]] if first and device.type == 'cpu' else [frames]
            first = False
            for piece in filter(len, pieces):
                yield encode(self.animator, piece, amp=self.amp).motion.float()[None]

    def _runner(self, video: VideoInput | DrivingCodes, chunk_size: int) -> ChunkRunner | None:
        """The runner for a video that is long enough; None to call the networks as they are."""
        return chunk_runner(self.animator, _length_and_rate(video)[0], chunk_size, amp=self.amp,
                            fixed_chunks=self.fixed_chunks)

    def driving_codes(self, video: VideoInput, *, chunk_size: int = CHUNK_SIZE,
                      bar: tqdm | None = None) -> DrivingCodes:
        """The motion codes of a whole video, to drive with them more than once; ``bar`` counts its frames."""
        pieces = []
        for codes in self.codes(video, chunk_size=chunk_size):
            pieces.append(codes[0].cpu())
            if bar is not None:
                bar.update(len(pieces[-1]))
        name = str(getattr(video, 'path', 'the driving video'))
        origin = self.animator.code_origin._replace(name=f'the codes of {name}')
        return DrivingCodes(torch.cat(pieces), length_and_rate(video)[1], origin)

    def start_candidates(self, video: VideoInput | DrivingCodes, transfer: MotionTransfer) -> StartCandidates | None:
        """The frames of a video that a transfer needs before the others; None if it needs none, or all."""
        if is_frame_stream(video):
            return None
        if isinstance(video, DrivingCodes):
            return StartCandidates(tuple(range(len(video))), video.codes)
        with opened(video) as handle:
            numbers = transfer.candidate_frames(len(handle))
            if not numbers:
                return None
            fit = SquareFit(self.animator.size, self.animator.crop)
            frames = np.concatenate([handle.read_fitted([number], fit) for number in numbers])
        images = torch.from_numpy(to_channels_first(frames))
        return StartCandidates(tuple(numbers), encode(self.animator, images, amp=self.amp).motion.float())

    def image_codes(self, image: ImageInput) -> DrivingCodes:
        """The code of one image, as a driver for absolute transfer."""
        pixels = read_images(image, self.animator.size, crop=self.animator.crop)
        code = encode(self.animator, pixels, amp=self.amp).motion.float().cpu()
        return DrivingCodes(code, DEFAULT_FPS, self.animator.code_origin)

    def open_driver(self, driving: VideoInput | DrivingCodes | ImageInput) -> VideoInput | DrivingCodes:
        """A driver in a form that can be read more than once: a video, or the codes of a code file or an image.

        An iterator of frames (a camera) is returned as it is; it is read once.
        """
        if is_code_file(driving):
            driving = DrivingCodes.load(driving)
        if isinstance(driving, DrivingCodes):
            driving.check_animator(self.animator)
            return driving
        if is_image_driver(driving):
            return self.image_codes(driving)
        return driving if is_frame_stream(driving) else reusable_video(driving)

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput | DrivingCodes, *,
                mode: str = 'relative', transfer: MotionTransfer | None = None,
                chunk_size: int = CHUNK_SIZE, details: Tensor | None = None) -> Iterator[Tensor]:
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
            details (Tensor, optional): The sources at a higher resolution, shape (B, 3, R, R), in [-1, 1] or uint8:
                frames have it, too, and the details of the sources (:mod:`leokit.inference.source_details`).

        Returns:
            Iterator[Tensor]: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), one for each driving frame. Wrong
            arguments are refused here, before the first frame is requested.
        """
        transfer = transfer or MotionTransfer(mode=mode)
        images = read_images(source, self.animator.size, crop=self.animator.crop)
        encoding = encode(self.animator, images, amp=self.amp)
        motion = transfer(self.codes(driving, chunk_size=chunk_size), encoding.motion.float(),
                          _length_and_rate(driving)[1], self.start_candidates(driving, transfer))
        if details is not None:
            added = SourceDetails(self.animator, encoding, details, amp=self.amp)
            return render(self.animator, encoding, motion, chunk_size=chunk_size, amp=self.amp, details=added)
        runner = self._runner(driving, chunk_size)
        draw = runner.renderer(encoding) if runner is not None else None
        return render(self.animator, encoding, motion, chunk_size=chunk_size, amp=self.amp, draw=draw)


def _length_and_rate(driving: VideoInput | DrivingCodes) -> tuple[int | None, float]:
    return (len(driving), driving.fps) if isinstance(driving, DrivingCodes) else length_and_rate(driving)
