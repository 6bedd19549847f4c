"""Blur, as it comes from lack of focus, strong compression or enlarging."""

import cv2
import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding

ROUNDING = 0.2  # gray levels of detail that rounding to bytes gives to any image
MIN_SHARPNESS = 0.32  # sharp real clips: 0.34 to 0.8; blurred by a Gaussian of 1.5 pixels: 0.19 to 0.31


def sharpness(image: np.ndarray) -> float:
    """Detail of one pixel's width relative to detail of two pixels' width.

    Args:
        image (np.ndarray): Gray image, float32 (H, W).

    Returns:
        float: Mean absolute difference of the image from its copy at half the size, divided by that of the copy from
        a copy at a quarter of the size. Independent of contrast.
    """
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    quarter = cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return float(max(_detail(image, half) - ROUNDING, 0) / (_detail(half, quarter) + 0.1))  # 0.1: for empty images


def find_blur(clip: ClipMeasures) -> list[Finding]:
    """Clips whose median sharpness is too low, at 256 pixels (at the clip's own size if it is smaller); value: it."""
    if len(clip.sharpness) == 0:
        return []
    value = float(np.median(clip.sharpness))
    return [Finding('blur', 0, len(clip), round(value, 3))] if value < MIN_SHARPNESS else []


def _detail(image: np.ndarray, smaller: np.ndarray) -> np.floating:
    return np.abs(image - cv2.resize(smaller, image.shape[::-1], interpolation=cv2.INTER_LINEAR)).mean()
