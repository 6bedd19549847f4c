"""Statistics of every clip of a set: decoding, features, and what is derived from them."""

from typing import NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.clip_features import ClipFeatureCache
from leokit.analysis.clip_statistics import ClipSet, Features, clip_statistics
from leokit.analysis.face_dynamics import face_dynamics, fill_gaps
from leokit.datasets import FrameDecoder
from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.feature_extractors.video_features import FRAMES_AT_ONCE
from leokit.metrics.expressions import eye_distance
from leokit.utils import progress_bar
from leokit.utils.pixels import from_uint8
from leokit.utils.thread_map import thread_map
from leokit.video.content_hash import content_hash
from leokit.video.video_entry import VideoEntry


class FrameFeatures(NamedTuple):
    """Features of every frame of a clip.

    Attributes:
        extract (Callable): Frames (T, 3, S, S) in [-1, 1] to features (T, d) on the CPU, each frame by itself; called
            for parts of a clip, which bounds memory.
        fingerprint (str): Identifies the features in the cache.
        landmarks (bool): They are 68 landmarks, in pixels.
    """

    extract: Features
    fingerprint: str
    landmarks: bool = False


def scaled_landmarks(points: Tensor) -> Tensor:
    """Landmarks (T, 136) in mean eye distances of the clip, over sqrt(68): norms are root mean squares over points."""
    shaped = points.unflatten(1, (NUM_LANDMARKS, 2)).double()
    return shaped.flatten(1) / (eye_distance(shaped).nanmean() * NUM_LANDMARKS**0.5)


def measure_clips(videos: Sequence[VideoEntry], decoder: FrameDecoder, num_frames: int, content: FrameFeatures,
                  motion: FrameFeatures, cache: ClipFeatureCache, *, threads: int = 2,
                  title: str = 'clips') -> ClipSet:
    """Statistics of the first frames of every video, with those of :func:`face_dynamics` if the motion is landmarks.

    Args:
        videos (Sequence[VideoEntry]): Each with at least ``num_frames`` frames at the decoder's rate.
        decoder (FrameDecoder): Size and rate of the frames.
        num_frames (int): Frames of each clip.
        content (FrameFeatures): Of what is shown.
        motion (FrameFeatures): Of how it moves.
        cache (ClipFeatureCache): Of both.
        threads (int): Threads that decode.
        title (str): Label of the progress bar.
    """
    def read(video: VideoEntry) -> np.ndarray:
        return np.concatenate(list(decoder.stream(video, 0, num_frames)))

    values = {}
    with progress_bar(len(videos), title, unit='video') as bar:
        for video, pixels in zip(videos, thread_map(read, videos, threads)):
            values[video.name] = _measure(pixels, video, decoder, content, motion, cache)
            bar.update()
    return ClipSet(values, {video.name: video.identity for video in videos})


def _measure(pixels: np.ndarray, video: VideoEntry, decoder: FrameDecoder, content: FrameFeatures,
             motion: FrameFeatures, cache: ClipFeatureCache) -> dict[str, float]:
    frames = from_uint8(torch.from_numpy(pixels))
    source = content_hash(video.path), pixels.shape, decoder.crop, decoder.fps, video.fps
    shown, moved = (cache.get((*source, part.fingerprint), lambda part=part: _extract(part, frames))
                    for part in (content, motion))
    if not motion.landmarks:
        return clip_statistics(frames, lambda _: shown, lambda _: moved)
    tracked = float(moved.isfinite().all(1).double().mean())
    moved = scaled_landmarks(fill_gaps(moved))
    dynamics = face_dynamics(moved.unflatten(1, (NUM_LANDMARKS, 2)), decoder.fps or video.fps)
    return {**clip_statistics(frames, lambda _: shown, lambda _: moved), 'tracked': tracked, **dynamics}


def _extract(part: FrameFeatures, frames: Tensor) -> Tensor:
    return torch.cat([part.extract(chunk) for chunk in frames.split(FRAMES_AT_ONCE)])
