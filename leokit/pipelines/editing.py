"""Editing a video by its first frame (LEO, arXiv 2305.03989, section 4.5): only one picture is edited.

A video is a first frame and motion codes, and the codes hold no appearance. So the edited frame is moved by the codes
of the video itself, relative to its first one, and the change goes wherever the motion goes, without flicker.
"""

from typing import Iterator

import numpy as np
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.models import Animator
from leokit.pipelines.animation import VideoAnimator
from leokit.pipelines.inputs import Video, iterate_frames, read_first_frame, read_images
from leokit.pipelines.rendering import CHUNK_SIZE
from leokit.utils.pixels import from_uint8, to_uint8


def edit_video(animator: Animator, video: Video, editor: ImageEditor, *, chunk_size: int = CHUNK_SIZE,
               amp: bool = False) -> Iterator[Tensor]:
    """Edit the first frame of a video and let the video's own motion carry the edit.

    Args:
        animator (Animator): A trained animator.
        video (Video): The video; it is decoded piece by piece.
        editor (ImageEditor): What is done to its first frame, which it sees as the animator does: square, of side S.
        chunk_size (int): Frames per forward pass.
        amp (bool): Compute under bfloat16 autocast.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, H, W), one for each frame of the video.

    Raises:
        UserError: If the video cannot be read or the edit cannot be made.
    """
    edited = edit_images(editor, read_first_frame(video, animator.size))
    yield from VideoAnimator(animator, amp=amp).animate(edited, video, mode='relative', chunk_size=chunk_size)


def edit_each_frame(video: Video, editor: ImageEditor, size: int, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
    """Edit every frame of a video by itself: what :func:`edit_video` is compared with.

    Args:
        video (Video): The video; it is decoded piece by piece.
        editor (ImageEditor): What is done to each frame.
        size (int): Side S.
        chunk_size (int): Frames per piece.

    Yields:
        Tensor: Consecutive frames in [-1, 1], shape (1, t, 3, S, S).

    Raises:
        UserError: If the video cannot be read or an edit cannot be made.
    """
    for frames in iterate_frames(video, size, chunk_size=chunk_size):
        yield edit_images(editor, from_uint8(frames))[None]


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
