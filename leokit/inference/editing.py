"""Editing a video by its first frame (LEO, arXiv 2305.03989, section 4.5): only one picture is edited.

A video is a first frame and motion codes, and the codes hold no appearance. So the edited frame is moved by the codes
of the video itself, relative to its first one, and the change goes wherever the motion goes, without flicker.
"""

import math
from contextlib import closing
from itertools import islice
from typing import Iterator, NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.inference.animation import VideoAnimator
from leokit.inference.rendering import CHUNK_SIZE
from leokit.metrics import layer_warping_error, video_flow, warping_error
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import (
    FramesHandle, ImageInput, VideoInput, iterate_frames, read_first_frame, read_images, reusable_video)

MEASURED_FRAMES = 128  # of a video's beginning: as much as is kept in memory


class Coherence(NamedTuple):
    """How steady a video is, along the optical flow of the original."""

    video: float  # warping error in gray levels
    edit: float  # warping error of the edit alone, over its strength; NaN without an edit


def edit_video(animator: Animator, video: VideoInput, edit: ImageEditor | ImageInput, *, chunk_size: int = CHUNK_SIZE,
               amp: bool = False) -> Iterator[Tensor]:
    """Edit the first frame of a video and let the video's own motion carry the edit.

    Args:
        animator (Animator): A trained animator.
        video (VideoInput): The video; it is decoded piece by piece.
        edit (ImageEditor | ImageInput): What is done to its first frame, which it sees as the animator does: square, of
            side S; or the edited first frame itself.
        chunk_size (int): Frames per forward pass.
        amp (bool): Compute under bfloat16 autocast.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, H, W), one for each frame of the video.

    Raises:
        UserError: If the video cannot be read or the edit cannot be made.
    """
    video = reusable_video(video)
    edited = _edited(edit, read_first_frame(video, animator.size, crop=animator.crop), animator.crop)
    yield from VideoAnimator(animator, amp=amp).animate(edited, video, mode='relative', chunk_size=chunk_size)


def edit_each_frame(video: VideoInput, editor: ImageEditor, size: int, *, chunk_size: int = CHUNK_SIZE,
                    crop: str = 'center') -> Iterator[Tensor]:
    """Edit every frame of a video by itself: what :func:`edit_video` is compared with.

    Args:
        video (VideoInput): The video; it is decoded piece by piece.
        editor (ImageEditor): What is done to each frame.
        size (int): Side S.
        chunk_size (int): Frames per piece.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, S, S).

    Raises:
        UserError: If the video cannot be read or an edit cannot be made.
    """
    for frames in iterate_frames(video, size, chunk_size=chunk_size, crop=crop):
        yield edit_images(editor, from_uint8(frames))[None]


def measure_edit(animator: Animator, video: VideoInput, edit: ImageEditor | ImageInput) -> dict[str, Coherence]:
    """Temporal coherence of an edit by the first frame, against editing each frame by itself.

    The edit alone is the edited video minus the same video without the edit: what is animated, minus the animation of
    the first frame as it is; and what is edited frame by frame, minus the original.

    Args:
        animator (Animator): A trained animator.
        video (VideoInput): The video; its first ``MEASURED_FRAMES`` frames count.
        edit (ImageEditor | ImageInput): The edit, as in :func:`edit_video`.

    Returns:
        dict: By 'original', 'animated without the edit', 'edited by the first frame' and, if there is an editor that
        edits any picture, 'edited frame by frame'.

    Raises:
        UserError: If the video cannot be read, has one frame only or the edit cannot be made.
    """
    size = animator.size
    with closing(iterate_frames(video, size, chunk_size=CHUNK_SIZE, crop=animator.crop)) as pieces:
        original = torch.cat(list(islice(pieces, -(-MEASURED_FRAMES // CHUNK_SIZE))))[:MEASURED_FRAMES]
    if len(original) < 2:
        raise UserError('coherence is about change from frame to frame, and the video has one frame only; measure a '
                        'longer one')
    handle = FramesHandle(original)
    first, frames = from_uint8(original[:1]), from_uint8(original)
    plain, edited = (_collect(VideoAnimator(animator).animate(picture, handle))
                     for picture in (first, _edited(edit, first, animator.crop)))
    pairs = {'original': (frames, None), 'animated without the edit': (plain, None),
             'edited by the first frame': (edited, plain)}
    if isinstance(edit, ImageEditor) and edit.edits_any_image:
        pairs['edited frame by frame'] = (_collect(edit_each_frame(handle, edit, size, crop=animator.crop)), frames)
    flow = video_flow(frames)
    return {name: Coherence(warping_error(result, flow),
                            math.nan if base is None else layer_warping_error(result - base, flow))
            for name, (result, base) in pairs.items()}


def _edited(edit: ImageEditor | ImageInput, first: Tensor, crop: str) -> Tensor:
    """The edited first frame (1, 3, S, S)."""
    return edit_images(edit, first) if isinstance(edit, ImageEditor) else read_images(edit, first.shape[-1], crop=crop)


def _collect(chunks: Iterator[Tensor]) -> Tensor:
    """The frames (T, 3, H, W) of one video, on the CPU."""
    return torch.cat([chunk[0].cpu() for chunk in chunks])


def edit_images(editor: ImageEditor, images: Tensor) -> Tensor:
    """Edit prepared pictures, each by itself.

    Args:
        editor (ImageEditor): The editor.
        images (Tensor): Shape (B, 3, S, S) in [-1, 1].

    Returns:
        Tensor: The edited pictures, cropped and resized to the same shape if the editor changed their size.

    Raises:
        UserError: If an edit cannot be made.
    """
    pixels = to_uint8(images).permute(0, 2, 3, 1).cpu().numpy()
    return read_images([np.ascontiguousarray(editor.edit(picture)) for picture in pixels], images.shape[-1])
