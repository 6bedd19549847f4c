"""Editing a video by its first frame (LEO, arXiv 2305.03989, section 4.5): only one image is edited.

A video is a first frame and motion codes, and the codes contain no appearance. So the edited frame is animated by the
codes of the video itself, relative to its first one, and the edit follows the motion without flicker.
"""

from typing import Iterator

import numpy as np
from einops import rearrange
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.inference.animation import VideoAnimator
from leokit.inference.rendering import CHUNK_SIZE
from leokit.models import Animator
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import ImageInput, VideoInput, iterate_frames, read_first_frame, read_images, reusable_video


def edit_video(animator: Animator, video: VideoInput, edit: ImageEditor | ImageInput, *, chunk_size: int = CHUNK_SIZE,
               amp: bool = False) -> Iterator[Tensor]:
    """Edit the first frame of a video and propagate the edit by the video's own motion.

    Args:
        animator (Animator): A trained animator.
        video (VideoInput): The video; it is decoded chunk by chunk.
        edit (ImageEditor | ImageInput): An editor, applied to the first frame as the animator sees it, S x S pixels; or
            the edited first frame itself.
        chunk_size (int): Frames per forward pass.
        amp (bool): Compute under bfloat16 autocast.

    Returns:
        Iterator[Tensor]: Consecutive frames in [-1, 1], shape (1, t, 3, H, W), one for each frame of the video.
    """
    video = reusable_video(video)
    edited = edit_first_frame(edit, read_first_frame(video, animator.size, crop=animator.crop), crop=animator.crop)
    return VideoAnimator(animator, amp=amp).animate(edited, video, mode='relative', chunk_size=chunk_size)


def edit_first_frame(edit: ImageEditor | ImageInput, first: Tensor, *, crop: str = 'center') -> Tensor:
    """The edited first frame, shape (1, 3, S, S), from an editor or from the edited frame; ``first`` likewise."""
    if isinstance(edit, ImageEditor):
        return edit_images(edit, first)
    return read_images(edit, first.shape[-1], crop=crop)


def edit_each_frame(video: VideoInput, editor: ImageEditor, size: int, *, chunk_size: int = CHUNK_SIZE,
                    crop: str = 'center') -> Iterator[Tensor]:
    """Edit every frame of a video on its own: the baseline of :func:`edit_video`.

    Args:
        video (VideoInput): The video; it is decoded chunk by chunk.
        editor (ImageEditor): The editor.
        size (int): Resolution S.
        chunk_size (int): Frames per chunk.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, S, S).
    """
    for frames in iterate_frames(video, size, chunk_size=chunk_size, crop=crop):
        yield edit_images(editor, from_uint8(frames))[None]


def edit_images(editor: ImageEditor, images: Tensor) -> Tensor:
    """Edit images (B, 3, S, S) in [-1, 1], each on its own.

    The results are cropped and resized to the same shape if the editor changes their size.
    """
    pixels = rearrange(to_uint8(images), 'b c h w -> b h w c').cpu().numpy()
    return read_images([np.ascontiguousarray(editor.edit(image)) for image in pixels], images.shape[-1])
