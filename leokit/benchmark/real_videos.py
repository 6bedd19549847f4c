"""Real videos as a test of generation needs them: first frames to start from, and motion to compare with."""

import dataclasses
from contextlib import closing
from typing import Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.evaluation import Protocol, VideoSet, plan_trials
from leokit.evaluation.clip_loader import ClipLoader, batch_places
from leokit.evaluation.protocol import ClipRule
from leokit.inference.rendering import encode
from leokit.models import Animator
from leokit.utils import UserError, progress_bar
from leokit.utils.pixels import from_uint8
from leokit.video import iterate_frames
from leokit.video.resize import fit_to_tensor


def first_frames(videos: VideoSet, size: int, numbers: Sequence[int], stride: int) -> Tensor:
    """Frames that videos are to start with: of every video the first one in use, then later ones.

    Args:
        videos (VideoSet): The real videos.
        size (int): Side S of the frames.
        numbers (Sequence[int]): Which of the frames: number k is of video k modulo the number of videos.
        stride (int): Frames between two that are taken of one video.

    Returns:
        Tensor: In [-1, 1], shape (len(numbers), 3, S, S).

    Raises:
        UserError: If a frame cannot be decoded.
    """
    frames = []
    for number in numbers:
        entry = videos.entries[number % len(videos.entries)]
        place = entry.first + number // len(videos.entries) * stride % entry.frames
        with videos.reader.open(entry.path) as handle:
            with closing(iterate_frames(handle, size, chunk_size=1, first=place, last=place + 1)) as piece:
                frames.append(next(piece)[0])
    return from_uint8(torch.stack(frames))


def motion_windows(animator: Animator, videos: VideoSet, protocol: Protocol, *, length: int, count: int,
                   workers: int = 2, amp: bool = False) -> Tensor:
    """Motion codes of windows from all over a set of videos.

    Args:
        animator (Animator): The animator, in evaluation mode.
        videos (VideoSet): The videos, none of them shorter than a window.
        protocol (Protocol): Says how frames are cropped, and the seed of the draw.
        length (int): Consecutive frames L of a window, at the videos' own rate.
        count (int): Windows; fewer where there are not as many places.
        workers (int): Decoding threads.
        amp (bool): Encode under bfloat16 autocast.

    Returns:
        Tensor: float32 on the CPU, shape (M, L, N).

    Raises:
        UserError: If no window can be decoded.
    """
    rule = dataclasses.replace(
        protocol, clips=ClipRule(length=length),
        sampling=dataclasses.replace(protocol.sampling, num_clips=count, trials=1, real='windows', fewer='both'))
    clips = plan_trials(videos.windows(rule), rule, 'real')[0]
    loader = ClipLoader(videos, clips, protocol=rule, batches=batch_places(len(clips), length), workers=workers)
    codes, failures = [], {}
    with progress_bar(len(clips), 'real motion', unit='window') as bar:
        for batch in loader:
            failures.update(batch.failures)
            if batch.clips:
                frames = torch.cat([fit_to_tensor(np.asarray(clip), animator.size) for clip in batch.clips])
                codes.append(encode(animator, frames, amp=amp).motion.float().unflatten(0, (-1, length)).cpu())
            bar.update(len(batch.clips) + len(batch.failures))
    if not codes:
        raise UserError(f'no window of {videos.source} can be decoded ({next(iter(failures.values()))}); mend or '
                        'remove those videos')
    return torch.cat(codes)
