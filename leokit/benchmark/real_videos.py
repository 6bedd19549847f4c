"""Real videos for the benchmark: first frames to generate from, and motion codes to compare with."""

import dataclasses
from contextlib import closing
from typing import Sequence

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.evaluation import Protocol, VideoSet, plan_trials
from leokit.evaluation.clip_loader import ClipLoader, batch_indices
from leokit.evaluation.protocol import ClipRule, FrameRule
from leokit.inference.rendering import encode
from leokit.models import Animator
from leokit.utils import UserError, progress_bar
from leokit.utils.pixels import from_uint8
from leokit.video import iterate_frames
from leokit.video.resize import fit_to_tensor


def first_frames(videos: VideoSet, size: int, numbers: Sequence[int], stride: int, *,
                 crop: str = 'center') -> Tensor:
    """Real frames to generate from: the first selected frame of each video, then later frames.

    Args:
        videos (VideoSet): The real videos.
        size (int): Resolution S.
        numbers (Sequence[int]): Numbers of the frames; frame k is of video k modulo the number of videos.
        stride (int): Distance between two frames of one video; beyond its last frame, the count begins anew.
        crop (str): How frames become square, ``Animator.crop``.

    Returns:
        Tensor: In [-1, 1], shape (len(numbers), 3, S, S).
    """
    frames = []
    for number in numbers:
        round_number, index = divmod(number, len(videos.entries))
        entry = videos.entries[index]
        position = entry.first + round_number * stride % entry.frames
        with videos.reader.open(entry.path) as handle:
            with closing(iterate_frames(handle, size, chunk_size=1, first=position, last=position + 1,
                                        crop=crop)) as chunks:
                frames.append(next(chunks)[0])
    return from_uint8(torch.stack(frames))


def motion_windows(animator: Animator, videos: VideoSet, protocol: Protocol, *, length: int, count: int,
                   workers: int = 2, amp: bool = False) -> Tensor:
    """Motion codes of random windows of a set of videos.

    Args:
        animator (Animator): In evaluation mode.
        videos (VideoSet): The videos, all at least as long as a window.
        protocol (Protocol): Its sampling seed is used.
        length (int): Consecutive frames L per window, at the videos' own frame rate.
        count (int): Maximum number of windows.
        workers (int): Decoding threads.
        amp (bool): Encode under bfloat16 autocast.

    Returns:
        Tensor: float32 on the CPU, shape (M, L, N).
    """
    rule = dataclasses.replace(
        protocol, clips=ClipRule(length=length), frames=FrameRule(aspect='stretch'),  # cropped as in training, below
        sampling=dataclasses.replace(protocol.sampling, num_clips=count, trials=1, real='windows', fewer='both'))
    clips = plan_trials(videos.num_windows(rule), rule, 'real')[0]
    loader = ClipLoader(videos, clips, protocol=rule, batches=batch_indices(len(clips), length), workers=workers)
    codes, failures = [], {}
    with progress_bar(len(clips), 'real motion', unit='window') as bar:
        for batch in loader:
            failures.update(batch.failures)
            if batch.clips:
                frames = torch.cat([fit_to_tensor(np.asarray(clip), animator.size, animator.crop)
                                    for clip in batch.clips])
                motion = encode(animator, frames, amp=amp).motion.float()
                codes.append(rearrange(motion, '(m l) n -> m l n', l=length).cpu())
            bar.update(len(batch.clips) + len(batch.failures))
    if not codes:
        raise UserError(f'no window of {videos.source} can be decoded ({next(iter(failures.values()))}); repair or '
                        'remove those videos')
    return torch.cat(codes)
