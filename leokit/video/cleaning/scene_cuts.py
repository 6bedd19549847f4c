"""Scene cuts: a frame that differs from the one before far more than the frames around them do.

Fast motion changes many frames in a row, a cut changes one. So the change of a frame is divided by the largest change
of the three frames before and after it. The change of the colors is treated alike: it is small in any motion, and so
shows cuts in the midst of fast motion, but not those between similar shots. Thresholds were chosen so that 15,000
frames of real clips without cuts give no finding; docs/data_tools.md has recall and precision, also of PySceneDetect.
"""

from typing import Iterable

import numpy as np

from leokit.utils import UserError
from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding

MIN_RATIO = 2.5  # of the change at a cut to the largest change around it
MIN_CHANGE = 4.0  # gray levels
MIN_COLOR_RATIO = 2.0
MIN_COLOR_CHANGE = 0.3  # Hellinger distance
REACH = 3  # frames on each side; shorter shots are recognized by two cuts
NOISE, COLOR_NOISE = 1.0, 0.05  # added to the changes around, so that noise of still videos is no cut


def find_scene_cuts(clip: ClipMeasures) -> list[Finding]:
    """Hard cuts, also between similar shots of one person; value: the change relative to the largest one around it.

    Two cuts at most ``REACH`` frames apart (a stray frame, a flash) are found if both stand out from the frames around.
    """
    ratio, color_ratio = _ratio(clip.change, NOISE), _ratio(clip.color_change, COLOR_NOISE)
    cut = ((ratio >= MIN_RATIO) & (clip.change >= MIN_CHANGE)
           | (color_ratio >= MIN_COLOR_RATIO) & (clip.color_change >= MIN_COLOR_CHANGE))
    values = np.maximum(ratio, color_ratio)
    return [Finding('scene_cut', int(frame), int(frame) + 1, round(float(values[frame]), 3))
            for frame in np.flatnonzero(cut)]


def find_scene_cuts_pyscenedetect(frames: Iterable[np.ndarray], frame_rate: float) -> list[Finding]:
    """Cuts by PySceneDetect's ``AdaptiveDetector`` with its default thresholds; value: 1.

    Args:
        frames (Iterable[np.ndarray]): Chunks of frames, uint8 RGB (t, H, W, 3).
        frame_rate (float): Frames per second.
    """
    try:
        from scenedetect import AdaptiveDetector, FrameTimecode
    except ImportError as error:
        raise UserError('this check needs the package scenedetect; install it with: pip install "leokit[cleaning]", '
                        'or use the check scene_cut') from error
    detector, number, cuts = AdaptiveDetector(min_scene_len=1), 0, []
    for chunk in frames:
        for frame in chunk:
            blue_first = np.ascontiguousarray(frame[..., ::-1])
            cuts += detector.process_frame(FrameTimecode(number, fps=float(frame_rate)), blue_first)
            number += 1
    cuts += detector.post_process(FrameTimecode(number, fps=float(frame_rate)))
    return [Finding('scene_cut', cut.frame_num, cut.frame_num + 1, 1.0) for cut in cuts]


def _ratio(change: np.ndarray, noise: float) -> np.ndarray:
    """Changes relative to the largest change of the frames around, (T,); 0 beyond the ends."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(change, REACH), len(change))
    ratios = [change / (np.delete(around, REACH, axis=0).max(axis=0) + noise)]
    for length in range(1, REACH + 1):
        ratios += _short_shot(change, length, noise)
    return np.max(ratios, axis=0)


def _short_shot(change: np.ndarray, length: int, noise: float) -> list[np.ndarray]:
    """Ratios of two cuts ``length`` frames apart, if both stand out; once at the first and once at the second."""
    if len(change) <= length:
        return []
    # from REACH before the first cut to REACH after the second
    window = 2 * REACH + 1 + length
    padded = np.pad(change, (REACH, REACH))
    around = np.lib.stride_tricks.sliding_window_view(padded, window)
    others = np.delete(around, (REACH, REACH + length), axis=1).max(axis=1)
    ratio = np.minimum(change[:-length], change[length:]) / (others + noise)
    empty = np.zeros(length, ratio.dtype)
    return [np.concatenate([ratio, empty]), np.concatenate([empty, ratio])]
