"""A video as source: every frame keeps its own pose and moves by the driving motion, too."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.croppers import CropRegion, CropTrack, Paster, crop_region
from leokit.croppers.paste import FEATHER
from leokit.encoders import Encoding
from leokit.inference.animation import VideoAnimator
from leokit.inference.driving_codes import DrivingCodes
from leokit.inference.face_cropper import whole_region
from leokit.inference.motion_transfer import MotionTransfer
from leokit.inference.paste_back import MAX_SIDE, PASTED_FRAMES, as_chunk, limit_side, scaled_region
from leokit.inference.rendering import CHUNK_SIZE, encode, render
from leokit.utils import Prefetcher
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import VideoInput, length_and_rate
from leokit.video.readers import VideoHandle
from leokit.video.resize import to_channels_first


class VideoSource:
    """A source video and the region of it that is animated.

    Args:
        video (VideoHandle): The open video.
        track (CropTrack, optional): The face; None takes the frames as a whole.
        size (int): Resolution S of the model.
        crop (str): How whole frames become square.
    """

    def __init__(self, video: VideoHandle, track: CropTrack | None, size: int, crop: str) -> None:
        self.video = video
        self.size = size
        self.frame_size = video.read([0]).shape[1:3]
        self.is_face = track is not None
        track = track or CropTrack.resting(whole_region(self.frame_size, crop))
        if not track.moves:
            track = CropTrack.resting(track.at(0).rounded())
        self.track = track

    def chunks(self, chunk_size: int, last: int) -> Iterator[tuple[int, np.ndarray, Tensor]]:
        """Number of the first frame, whole uint8 frames (t, H, W, 3), and their crops (t, 3, S, S) in [-1, 1]."""
        first = 0
        for frames in self.video.chunks(chunk_size, 0, last):
            crops = np.stack([crop_region(frame, self.region(first + index), self.size, exact=self.track.moves)
                              for index, frame in enumerate(frames)])
            yield first, frames, from_uint8(torch.from_numpy(to_channels_first(crops)))
            first += len(frames)

    def region(self, number: int) -> CropRegion:
        """The region in a frame."""
        return self.track.at(number / self.video.fps)

    def paste(self, first: int, frames: np.ndarray, images: np.ndarray, *, max_side: int | None,
              feather: float) -> np.ndarray:
        """Paste images (t, S, S, 3) into the frames (t, H, W, 3), which are shrunk to ``max_side``."""
        pasted, paster = [], None
        for index, (frame, image) in enumerate(zip(frames, images)):
            canvas = limit_side(frame, max_side)
            if paster is None or self.track.moves:
                region = scaled_region(self.region(first + index), frame.shape, canvas.shape)
                paster = Paster(region, canvas.shape[:2], self.size, feather=feather)
            pasted.append(paster.paste(canvas, image))
        return np.stack(pasted)


def paste_into_video(chunks: Iterable[Tensor], source: VideoSource, *, max_side: int | None = MAX_SIDE,
                     feather: float = FEATHER) -> Iterator[Tensor]:
    """Paste the frames of one video into those of the video that it was cropped from.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1], shape (1, t, 3, S, S).
        source (VideoSource): The whole video; no other thread reads its handle meanwhile.
        max_side, feather: See :func:`~leokit.inference.paste_back.paste_into_image`.

    Yields:
        Tensor: Consecutive uint8 frames, shape (1, t, 3, H, W).
    """
    first = 0
    for chunk in chunks:
        for piece in chunk[0].split(PASTED_FRAMES):
            images = rearrange(to_uint8(piece), 't c h w -> t h w c').cpu().numpy()
            frames = source.video.read(range(first, first + len(images)))
            yield as_chunk(source.paste(first, frames, images, max_side=max_side, feather=feather))
            first += len(images)


def take(encoding: Encoding, count: int) -> Encoding:
    """The first ``count`` encodings."""
    return Encoding(encoding.appearance[:count], encoding.motion[:count], tuple(f[:count] for f in encoding.features))


def animate_video(animator: VideoAnimator, source: VideoSource, driving: VideoInput | DrivingCodes, *,
                  transfer: MotionTransfer | None = None, paste_back: bool = True, max_side: int | None = MAX_SIDE,
                  feather: float = FEATHER, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
    """Animate every frame of a video.

    With the code α_s(t) of source frame t and the code α(t) that ``transfer`` gives for the first source frame, frame t
    gets the code α(t) + α_s(t) - α_s(0) in relative transfer: the driving motion on top of its own pose. In absolute
    transfer by the amount a it is a times the driving code plus (1 - a) times its own.

    Args:
        animator (VideoAnimator): Encodes and renders.
        source (VideoSource): The source video.
        driving (VideoInput | DrivingCodes): The driving video, at the rate of the source.
        transfer (MotionTransfer, optional): Default: relative transfer since the first driving frame.
        paste_back (bool): Paste the results into the frames of the source.
        max_side, feather: See :func:`~leokit.inference.paste_back.paste_into_image`.
        chunk_size (int): Frames per forward pass.

    Yields:
        Tensor: Consecutive frames, as many as the shorter video has: uint8 (1, t, 3, H, W) if they are pasted, else
        float in [-1, 1], shape (1, t, 3, S, S).
    """
    transfer = transfer or MotionTransfer()
    model = animator.animator
    count, fps = (len(driving), driving.fps) if isinstance(driving, DrivingCodes) else length_and_rate(driving)
    last = len(source.video) if count is None else min(count, len(source.video))
    motion: Iterator[Tensor] | None = None
    with Prefetcher(source.chunks(min(chunk_size, PASTED_FRAMES), last)) as chunks:
        for first, frames, crops in chunks:
            encoding = encode(model, crops, amp=animator.amp)
            own = encoding.motion.float()
            if motion is None:
                start = own[:1]
                pieces = transfer(animator.codes(driving, chunk_size=chunk_size), start, fps,
                                  animator.start_candidates(driving, transfer))
                motion = chain.from_iterable(piece[0] for piece in pieces)  # one code (N,) after the other
            codes = list(islice(motion, len(own)))
            if not codes:  # a driving stream of unknown length has ended
                return
            codes, own = torch.stack(codes).to(own), own[:len(codes)]
            frames, encoding = frames[:len(codes)], take(encoding, len(codes))
            shift = own - start
            if transfer.mode == 'absolute':
                moved = transfer.motion_scale * shift
                shift = shift - (moved if transfer.regions is None else moved @ transfer.regions.to(moved).t())
            codes = codes + shift
            rendered, = render(model, encoding, codes[:, None], chunk_size=len(codes), amp=animator.amp)
            rendered = rearrange(rendered, 't 1 c h w -> t c h w')
            if paste_back:
                images = rearrange(to_uint8(rendered), 't c h w -> t h w c').cpu().numpy()
                yield as_chunk(source.paste(first, frames, images, max_side=max_side, feather=feather))
            else:
                yield rendered[None]
