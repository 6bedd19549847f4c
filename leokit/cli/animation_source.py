"""The source of ``leokit animate``: an image with one or several faces, or a video."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from leokit.inference import (
        CroppedImage, DrivingCodes, FaceCropper, FrameStream, MotionTransfer, VideoAnimator, VideoSource)
    from leokit.video.readers import VideoHandle


class Source:
    """An opened source.

    Args:
        source (CroppedImage | VideoSource): The image or video.
        paste_back (bool, optional): Put the result back into it; default: if it was cropped to a face.
    """

    def __init__(self, source: 'CroppedImage | VideoSource', paste_back: bool | None) -> None:
        from leokit.utils import UserError
        self.source = source
        self.paste_back = source.is_face if paste_back is None else paste_back
        if self.count > 1 and not self.paste_back:
            raise UserError(f'{self.count} faces are animated at once, which needs one image to show them in; leave '
                            '--no-paste-back out, or choose one with --face')

    @property
    def is_video(self) -> bool:
        """bool: Every frame has its own pose."""
        return hasattr(self.source, 'video')

    @property
    def count(self) -> int:
        """int: Number of animated faces."""
        return 1 if self.is_video else len(self.source.regions)

    @property
    def fps(self) -> float | None:
        """float | None: The rate that the result has; None if the driving video decides."""
        return self.source.video.fps if self.is_video else None

    def animate(self, animator: 'VideoAnimator', driving: 'VideoHandle | DrivingCodes', transfer: 'MotionTransfer',
                args: argparse.Namespace) -> 'FrameStream':
        """The animation, as one video."""
        from leokit.inference import FrameStream, animate_video, paste_into_image
        from leokit.inference.paste_back import limited_size
        size = animator.animator.size
        look = dict(max_side=args.max_side, feather=args.feather)
        if self.is_video:
            if self.paste_back:
                size = limited_size(self.source.frame_size, args.max_side)
            frames = animate_video(animator, self.source, driving, transfer=transfer, paste_back=self.paste_back,
                                   chunk_size=args.chunk_size, **look)
            return FrameStream(frames, min(len(driving), len(self.source.video)), size, driving.fps)
        details = self._details(animator, args)
        frames = animator.animate(self.source.images, driving, transfer=transfer, chunk_size=args.chunk_size,
                                  details=details)
        if self.paste_back:
            size = limited_size(self.source.pixels.shape[:2], args.max_side)
            frames = paste_into_image(frames, self.source, **look)
        elif details is not None:
            size = details.shape[-1]
        return FrameStream(frames, len(driving), size, driving.fps)

    def check_resolution(self, resolution: int | None, size: int, *, details: bool) -> None:
        """Raise for a resolution that does not fit the source, the model of a size, or the other options."""
        from leokit.inference.source_details import MAX_SIZE
        from leokit.utils import UserError
        if resolution is None:
            return
        if not details:
            raise UserError('--resolution adds details of the source image, and --no-details leaves them out; pass one '
                            'of the two')
        if self.is_video or self.paste_back:
            raise UserError('--resolution is for images whose faces are not pasted back; '
                            + ('leave it out, a video as source has none' if self.is_video else
                               'pass --no-paste-back, too, or --max-side for the size of the whole image'))
        if not size <= resolution <= MAX_SIZE or resolution % 2:
            raise UserError(f'--resolution {resolution} must be an even number from {size}, the size of the model, to '
                            f'{MAX_SIZE}')

    def _details(self, animator: 'VideoAnimator', args: argparse.Namespace) -> 'Tensor | None':
        from leokit.inference.paste_back import detailed_faces
        from leokit.inference.source_details import supports_details
        if self.paste_back:
            wanted = args.details and supports_details(animator.animator)
            return detailed_faces(self.source, args.max_side) if wanted else None
        return self.source.faces(args.resolution) if args.resolution else None

    def describe(self) -> str:
        """What was cropped and pasted."""
        if not self.source.is_face:
            return 'pasted back' if self.paste_back else ''
        faces = f'{self.count} faces' if self.count > 1 else 'face'
        return f'{faces} cropped' + (' and pasted back' if self.paste_back else '')


@contextmanager
def open_source(args: argparse.Namespace, cropper: 'FaceCropper') -> 'Iterator[Source | None]':
    """The source of the command line; None without one."""
    from leokit.inference import VideoSource
    from leokit.video import open_video
    if not args.source:
        yield None
    elif is_video_source(args.source):
        with open_video(args.source, background=args.background) as video:
            if len(video) == 1:  # an image with the name of a video
                yield Source(cropper.image(video.read([0])[0], args.source), args.paste_back)
                return
            video = video.at_rate(args.fps or video.fps)
            yield Source(VideoSource(video, cropper.track(video), cropper.size, cropper.whole), args.paste_back)
    else:
        yield Source(cropper.image(args.source), args.paste_back)


def is_video_source(path: str) -> bool:
    """Whether a source is a video; GIF and array files are taken for images."""
    from leokit.utils.files import local_path
    from leokit.video import VIDEO_SUFFIXES
    file = local_path(path)
    return file.is_dir() or file.suffix.lower() in set(VIDEO_SUFFIXES) - {'.gif', '.npy', '.npz'}
