"""Boxes of a moving person, smoothed over time, so that a crop follows the person and does not shake."""

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from leokit.utils import UserError

OUTLIER_SECONDS = 0.4  # window of the median that removes false detections
SMOOTHING_SECONDS = 0.5  # standard deviation of the Gaussian; motion faster than about 1 / (4 of it) Hz is removed


def smooth_boxes(boxes: np.ndarray, frame_rate: float, *, seconds: float = SMOOTHING_SECONDS,
                 fixed_size: bool = False) -> np.ndarray:
    """Smooth the boxes of a clip.

    Center and sides are filtered separately, the sides as logarithms: missing boxes are interpolated, single outliers
    removed by a median, and the rest is smoothed by a Gaussian without delay.

    Args:
        boxes (np.ndarray): Left, top, right, bottom in pixels, (T, 4); rows of NaN where nobody was detected.
        frame_rate (float): Frames per second.
        seconds (float): Standard deviation of the Gaussian; 0 keeps interpolation and median alone.
        fixed_size (bool): All boxes get the size that holds 95 % of the smoothed ones, so that a crop does not zoom.

    Returns:
        np.ndarray: float64 (T, 4), without NaN.

    Raises:
        UserError: If no box is finite.
        ValueError: For other shapes, or boxes without area.
    """
    boxes = np.asarray(boxes, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or frame_rate <= 0 or seconds < 0:
        raise ValueError(f'boxes must have shape (T, 4), frame_rate be positive and seconds not negative, got '
                         f'{boxes.shape}, {frame_rate}, {seconds}')
    known = np.isfinite(boxes).all(axis=1)
    if not known.any():
        raise UserError('no person was detected in any frame of the clip; lower the threshold of the detector, or '
                        'leave the clip out')
    if (boxes[known, 2:] <= boxes[known, :2]).any():
        raise ValueError('boxes must have left < right and top < bottom')
    times = np.arange(len(boxes))
    tracks = np.concatenate([(boxes[known, :2] + boxes[known, 2:]) / 2,
                             np.log(boxes[known, 2:] - boxes[known, :2])], axis=1)
    tracks = np.stack([np.interp(times, times[known], track) for track in tracks.T], axis=1)
    window = 2 * round(OUTLIER_SECONDS * frame_rate / 2) + 1
    tracks = median_filter(tracks, size=(min(window, 2 * len(boxes) - 1), 1), mode='nearest')
    if seconds:
        tracks = gaussian_filter1d(tracks, seconds * frame_rate, axis=0, mode='nearest')
    centers, sizes = tracks[:, :2], np.exp(tracks[:, 2:])
    if fixed_size:
        sizes = np.broadcast_to(np.quantile(sizes, 0.95, axis=0), sizes.shape)
    return np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
