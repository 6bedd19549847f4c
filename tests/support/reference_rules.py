"""Rules that reference values were computed with: weights from the name of a tensor, images from a seed."""

import zlib

import numpy as np


def rule_noise(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal float32 numbers that depend on the key alone."""
    generator = np.random.RandomState(zlib.crc32(key.encode()) & 0x7fffffff)
    return generator.standard_normal(tuple(shape)).astype(np.float32)


def smooth_u8(seed: int, shape: tuple[int, ...], low: dict[int, int], contrast: float = 1.0) -> np.ndarray:
    """Smooth 8-bit noise: uniform numbers on a coarse grid, linearly interpolated along the axes of ``low``."""
    coarse = list(shape)
    for axis, points in low.items():
        coarse[axis] = points
    values = np.random.RandomState(seed).uniform(0.0, 1.0, tuple(coarse))
    for axis in sorted(low):
        position = np.arange(shape[axis]) * (low[axis] - 1) / (shape[axis] - 1)
        left = np.minimum(np.floor(position).astype(int), low[axis] - 2)
        right_share = (position - left).reshape([-1 if b == axis else 1 for b in range(len(shape))])
        values = (np.take(values, left, axis=axis) * (1 - right_share)
                  + np.take(values, left + 1, axis=axis) * right_share)
    return np.rint(255.0 * np.clip(0.5 + contrast * (values - 0.5), 0.0, 1.0)).astype(np.uint8)
