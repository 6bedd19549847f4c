"""A video that is edited or manipulated: cropped to its face, and put back together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor

from leokit.croppers import CroppedVideo, CropRegion
from leokit.croppers.paste import FEATHER
from leokit.inference.face_cropper import FaceCropper
from leokit.inference.outputs import FrameStream
from leokit.inference.paste_back import MAX_SIDE, limited_size
from leokit.inference.video_source import VideoSource, paste_into_video
from leokit.video import open_video
from leokit.video.readers import VideoHandle


class FaceClip:
    """An open video and the region of it that a model sees.

    Args:
        video (VideoHandle): The video, for the model.
        canvas (VideoHandle): The same video opened again, to paste into.
        cropper (FaceCropper): Finds the face.

    Attributes:
        cropped (VideoHandle): What the model sees.
        whole (VideoSource): What is pasted into.
    """

    def __init__(self, video: VideoHandle, canvas: VideoHandle, cropper: FaceCropper) -> None:
        track = cropper.track(video)
        self.whole = VideoSource(canvas, track, cropper.size, cropper.whole)
        self.cropped = video if track is None else CroppedVideo(video, self.whole.track, cropper.size)

    @property
    def is_face(self) -> bool:
        """bool: The video is cropped to a face."""
        return self.whole.is_face

    @property
    def first_region(self) -> CropRegion:
        """CropRegion: The region in the first frame."""
        return self.whole.region(0)

    def stream(self, frames: Iterator[Tensor], *, paste_back: bool, max_side: int | None = MAX_SIDE,
               feather: float = FEATHER) -> FrameStream:
        """The result: one video (1, t, 3, S, S), pasted into the whole frames on request."""
        size: int | tuple[int, int] = self.whole.size
        if paste_back:
            frames = paste_into_video(frames, self.whole, max_side=max_side, feather=feather)
            size = limited_size(self.whole.frame_size, max_side)
        return FrameStream(frames, len(self.cropped), size, self.cropped.fps)

    def describe(self, *, paste_back: bool) -> str:
        """What was cropped and pasted."""
        return ', '.join(['face cropped'] * self.is_face + ['pasted back'] * paste_back)


@contextmanager
def open_clip(path: str, cropper: FaceCropper) -> Iterator[FaceClip]:
    """Open a video for :class:`FaceClip`."""
    with ExitStack() as stack:
        video, canvas = (stack.enter_context(open_video(path, background=cropper.background)) for _ in range(2))
        yield FaceClip(video, canvas, cropper)
