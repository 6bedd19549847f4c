"""The video of ``leokit edit`` and ``leokit manipulate``: cropped to its face, and put back together."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from leokit.croppers import CropRegion
    from leokit.inference import FaceCropper, FrameStream
    from leokit.video.readers import VideoHandle


class FaceClip:
    """An open video and the region of it that a model sees.

    Args:
        video (VideoHandle): The video, for the model.
        canvas (VideoHandle): The same video opened again, to paste into.
        cropper (FaceCropper): Finds the face.
    """

    def __init__(self, video: 'VideoHandle', canvas: 'VideoHandle', cropper: 'FaceCropper') -> None:
        from leokit.croppers import CroppedVideo
        from leokit.inference import VideoSource
        track = cropper.track(video)
        self.canvas = VideoSource(canvas, track, cropper.size, cropper.whole)
        self.cropped = video if track is None else CroppedVideo(video, self.canvas.track, cropper.size)

    @property
    def is_face(self) -> bool:
        """bool: The video is cropped to a face."""
        return self.canvas.is_face

    @property
    def first_region(self) -> 'CropRegion':
        """CropRegion: The region in the first frame."""
        return self.canvas.region(0)

    def stream(self, frames: 'Iterator[Tensor]', args: argparse.Namespace, *, paste_back: bool) -> 'FrameStream':
        """The result: one video (1, t, 3, S, S), pasted into the whole frames on request."""
        from leokit.inference import FrameStream, paste_into_video
        from leokit.inference.paste_back import limited_size
        size: int | tuple[int, int] = self.canvas.size
        if paste_back:
            frames = paste_into_video(frames, self.canvas, max_side=args.max_side, feather=args.feather)
            size = limited_size(self.canvas.frame_size, args.max_side)
        return FrameStream(frames, len(self.cropped), size, self.cropped.fps)

    def describe(self, *, paste_back: bool) -> str:
        """What was cropped and pasted."""
        return ', '.join(['face cropped'] * self.is_face + ['pasted back'] * paste_back)


@contextmanager
def open_clip(path: str, cropper: 'FaceCropper') -> Iterator[FaceClip]:
    """Open a video for :class:`FaceClip`."""
    from leokit.video import open_video
    with ExitStack() as stack:
        video, canvas = (stack.enter_context(open_video(path, background=cropper.background)) for _ in range(2))
        yield FaceClip(video, canvas, cropper)
