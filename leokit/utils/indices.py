"""Indices into sequences."""

import numpy as np


def evenly_spaced_indices(total: int, count: int) -> list[int]:
    """At most ``count`` different indices spread evenly over ``range(total)``, the first and last included."""
    return sorted({round(i) for i in np.linspace(0, total - 1, min(count, total))})
