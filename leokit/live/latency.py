"""Latency from end to end: from the arrival of a camera frame to the display of its result."""

from collections import deque

import numpy as np

KEPT = 10_000  # newest values that percentiles are taken of


class LatencyMeter:
    """Collects latencies.

    Attributes:
        count (int): Number of values.
    """

    def __init__(self) -> None:
        self.count = 0
        self._values: deque[float] = deque(maxlen=KEPT)  # seconds

    def add(self, seconds: float) -> None:
        """Add one latency in seconds."""
        self.count += 1
        self._values.append(seconds)

    def percentile(self, percent: float) -> float:
        """A percentile in milliseconds, interpolated linearly; NaN without values."""
        return float(np.percentile(self._values, percent)) * 1e3 if self._values else float('nan')

    def __str__(self) -> str:
        if not self._values:
            return 'latency unknown'
        return f'latency {self.percentile(50):.1f} ms (95 %: {self.percentile(95):.1f} ms)'
