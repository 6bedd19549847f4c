"""Temporal coherence of an edit that is propagated from the first frame, against editing each frame on its own."""

import math
from contextlib import closing
from itertools import islice
from typing import Iterator, NamedTuple

import torch
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.inference.animation import VideoAnimator
from leokit.inference.editing import edit_each_frame, edit_first_frame
from leokit.inference.rendering import CHUNK_SIZE
from leokit.metrics import layer_warping_error, video_flow, warping_error
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.video import FramesHandle, ImageInput, VideoInput, iterate_frames

MAX_FRAMES = 128  # from the start of the video; they are kept in memory


class EditCoherence(NamedTuple):
    """Warping errors along the optical flow of the original video."""

    video: float  # in gray levels
    edit: float  # of the edit alone, relative to its strength; NaN without an edit


def measure_edit_coherence(animator: Animator, video: VideoInput,
                           edit: ImageEditor | ImageInput) -> dict[str, EditCoherence]:
    """Measure how coherent an edit is over time.

    The edit alone is the edited video minus the same video without the edit: of the animated frames, the animation of
    the unedited first frame is subtracted; of the frames that are edited one by one, the original.

    Args:
        animator (Animator): A trained animator.
        video (VideoInput): The video, of which at most ``MAX_FRAMES`` frames are used.
        edit (ImageEditor | ImageInput): The edit, as in :func:`~leokit.inference.edit_video`.

    Returns:
        dict: By ``'original'``, ``'animated without the edit'``, ``'edited by the first frame'`` and, if the editor
        can edit any image, ``'edited frame by frame'``.
    """
    size, crop = animator.size, animator.crop
    with closing(iterate_frames(video, size, chunk_size=CHUNK_SIZE, crop=crop)) as pieces:
        original = torch.cat(list(islice(pieces, -(-MAX_FRAMES // CHUNK_SIZE))))[:MAX_FRAMES]
    if len(original) < 2:
        raise UserError('coherence is about change from frame to frame, and the video has one frame only; use a longer '
                        'one')
    handle = FramesHandle(original)
    first, frames = from_uint8(original[:1]), from_uint8(original)
    plain, edited = (_collect(VideoAnimator(animator).animate(image, handle))
                     for image in (first, edit_first_frame(edit, first, crop=crop)))
    pairs = {'original': (frames, None), 'animated without the edit': (plain, None),
             'edited by the first frame': (edited, plain)}
    if isinstance(edit, ImageEditor) and edit.edits_any_image:
        pairs['edited frame by frame'] = (_collect(edit_each_frame(handle, edit, size, crop=crop)), frames)
    flow = video_flow(frames)
    return {name: EditCoherence(warping_error(result, flow),
                                math.nan if base is None else layer_warping_error(result - base, flow))
            for name, (result, base) in pairs.items()}


def _collect(chunks: Iterator[Tensor]) -> Tensor:
    """The frames (T, 3, H, W) of one video, on the CPU."""
    return torch.cat([chunk[0].cpu() for chunk in chunks])
