"""How often something happens in a signal over time, and how much it moves in bands of frequency."""

import math
from typing import Sequence

import numpy as np


def count_peaks(signal: np.ndarray, prominence: float, *, fps: float, max_seconds: float | None = None) -> int:
    """Number of maxima that rise by ``prominence`` above the signal on both sides.

    The prominence of a peak is its height above the higher one of the two minima between it and the next higher peak,
    or the end, on either side. So noise below ``prominence`` counts nothing, at any level and on any slope, and neither
    does a rise that is not followed by a fall.

    Args:
        signal (np.ndarray): Shape (T,).
        prominence (float): In units of the signal, above 0.
        fps (float): Samples per second.
        max_seconds (float, optional): Longest width of a peak, at half of its prominence.
    """
    from scipy.signal import find_peaks  # slow to import
    width = None if max_seconds is None else (None, max_seconds * fps)
    return len(find_peaks(signal, prominence=prominence, width=width, rel_height=0.5)[0])


def band_amplitudes(signal: np.ndarray, fps: float, bands: Sequence[tuple[float, float]]) -> list[float]:
    """Root mean square of the part of a signal in each band.

    From the periodogram of the signal without its linear trend, under a Hann window, which keeps slow motion out of the
    fast bands. Frequencies are resolved to about 2 / duration.

    Args:
        signal (np.ndarray): Shape (T,).
        fps (float): Samples per second.
        bands (Sequence[tuple[float, float]]): Lowest frequency (included) and highest (excluded), in hertz.
    """
    from scipy.signal import periodogram  # slow to import
    frequencies, density = periodogram(signal, fps, window='hann', detrend='linear')
    step = fps / len(signal)
    return [math.sqrt(float(density[(frequencies >= low) & (frequencies < high)].sum() * step)) for low, high in bands]
