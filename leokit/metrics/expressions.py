"""Transfer of expressions, measured on pairs of frames with the same pose and different expressions.

Errors averaged over an image hardly depend on the expression. Here facial landmarks (iBUG 300-W, 68 points) select
pairs of frames of one video between which little but the mouth, or the eyes, has moved, and only that region is
evaluated. The eye aspect ratio is that of Soukupová & Čech, "Real-Time Eye Blink Detection using Facial Landmarks",
CVWW 2016; the rest is ours.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.nn.face_regions import REGION_MARGIN
from leokit.utils import check_shape

REGIONS = dict(mouth=slice(48, 68), eyes=slice(36, 48))  # landmarks
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
RIGID = (27, 28, 29, 30, 33, 36, 39, 42, 45)  # bridge and tip of the nose, corners of the eyes
MIN_CHANGE = dict(mouth=0.1, eyes=0.06)  # of expression(); smaller changes are within the noise of the landmarks
MAX_POSE_CHANGE = 0.1  # mean distance of the rigid points, in eye distances


class ExpressionPair(NamedTuple):
    """Two frames of one video.

    Attributes:
        source (int): Index of one frame.
        driving (int): Index of the other frame.
        change (float): Change of the opening of mouth or eyes from source to driving.
        region (tuple[float, float, float, float], optional): Box around mouth or eyes of both frames: left, top, right,
            bottom, in pixels. None stands for the pixels that differ, if nothing else in the frames does.
    """

    source: int
    driving: int
    change: float
    region: tuple[float, float, float, float] | None


def eye_distance(landmarks: Tensor) -> Tensor:
    """Distance between the centers of the eyes (B,) of landmarks (B, 68, 2)."""
    return (landmarks[:, RIGHT_EYE].mean(1) - landmarks[:, LEFT_EYE].mean(1)).norm(dim=1)


def region_boxes(points: Tensor, unit: Tensor) -> Tensor:
    """Boxes around landmarks, with a margin.

    Args:
        points (Tensor): Landmarks of a region, shape (..., K, 2).
        unit (Tensor): Eye distance.

    Returns:
        Tensor: Left, top, right, bottom, shape (..., 4).
    """
    return torch.cat([points.amin(-2) - REGION_MARGIN * unit, points.amax(-2) + REGION_MARGIN * unit], dim=-1)


def expression(landmarks: Tensor) -> dict[str, Tensor]:
    """Opening of mouth and eyes.

    Args:
        landmarks (Tensor): Shape (B, 68, 2).

    Returns:
        dict[str, Tensor]: ``mouth``, mean height of the inner lips over the eye distance, and ``eyes``, mean eye aspect
        ratio; shape (B,).
    """
    check_shape('landmarks', landmarks, (None, NUM_LANDMARKS, 2))

    def distance(a: int, b: int) -> Tensor:
        return (landmarks[:, a] - landmarks[:, b]).norm(dim=1)

    lips = (distance(61, 67) + distance(62, 66) + distance(63, 65)) / 3
    right = (distance(37, 41) + distance(38, 40)) / (2 * distance(36, 39))
    left = (distance(43, 47) + distance(44, 46)) / (2 * distance(42, 45))
    return dict(mouth=lips / eye_distance(landmarks), eyes=(right + left) / 2)


def expression_pairs(landmarks: Tensor, region: str, count: int = 4) -> list[ExpressionPair]:
    """The pairs of frames between which a region of the face changes most while the pose stays the same.

    Args:
        landmarks (Tensor): Landmarks of the frames of one video, shape (T, 68, 2); NaN where no face was detected.
        region (str): ``'mouth'`` or ``'eyes'``.
        count (int): Maximum number of pairs of frames; no frame is in two of them.

    Returns:
        list[ExpressionPair]: Every pair in both directions, sorted by decreasing change.
    """
    opening = expression(landmarks)[region]
    change = opening[None] - opening[:, None]  # (T, T)
    rigid, unit = landmarks[:, RIGID], eye_distance(landmarks).nanmean()
    pose_change = (rigid[:, None] - rigid[None]).norm(dim=-1).mean(-1) / unit  # (T, T)
    size = torch.where(pose_change <= MAX_POSE_CHANGE, change.abs(), 0.0).nan_to_num(0.0).triu()
    pairs: list[ExpressionPair] = []
    while len(pairs) < 2 * count and size.numel() and size.max() >= MIN_CHANGE[region]:
        first, second = divmod(int(size.argmax()), len(size))
        points = rearrange(landmarks[[first, second]][:, REGIONS[region]], 't k c -> (t k) c')
        box = tuple(region_boxes(points, unit).tolist())
        pairs += [ExpressionPair(a, b, float(change[a, b]), box) for a, b in ((first, second), (second, first))]
        for frame in (first, second):  # both frames are used up
            size[frame] = size[:, frame] = 0
    return pairs


class ExpressionScore:
    """Accumulated score over the regions of pairs.

    ``driven`` is the least-squares factor between the true change from source to driving frame and the change of the
    prediction when the source's own code is replaced by the driving code: 0 if the code changes nothing, 1 for the full
    change. Rendering the same average mouth for every code does not raise it. ``ratio_l1`` is the error of the copied
    source over that of the prediction: above 1 is better than copying, and blur lowers it. ``sharpness`` is the
    high-frequency detail of the prediction over that of the driving frame in the region: below 1 is blurred.
    """

    def __init__(self) -> None:
        self.pairs = 0
        self._sums = torch.zeros(6, dtype=torch.float64)

    def add(self, source: Tensor, driving: Tensor, prediction: Tensor, still: Tensor,
            details: tuple[Tensor, Tensor] | None = None) -> None:
        """Add the region of one pair.

        Args:
            source (Tensor): The source frame, (3, h, w) or (3, pixels).
            driving (Tensor): The driving frame.
            prediction (Tensor): The source with the motion of the driving frame.
            still (Tensor): The source with its own motion.
            details (tuple[Tensor, Tensor], optional):
                :func:`~leokit.metrics.sharpness.high_frequency_detail` of driving frame and prediction in the region.
        """
        real_detail, fake_detail = (part.sum() for part in details) if details else driving.new_zeros(2)
        true_change, predicted_change = driving - source, prediction - still
        self._sums += torch.stack([(true_change * predicted_change).sum(), true_change.square().sum(),
                                   true_change.abs().sum(), (prediction - driving).abs().sum(),
                                   real_detail, fake_detail]).double().cpu()
        self.pairs += 1

    def values(self) -> dict[str, float]:
        """``driven``, ``ratio_l1``, ``sharpness`` and ``pairs``; NaN without pairs, or without details."""
        product, power, copy_error, error, real_detail, fake_detail = self._sums.tolist()
        nan = float('nan')
        return dict(driven=product / power if power else nan, ratio_l1=copy_error / error if error else nan,
                    sharpness=fake_detail / real_detail if real_detail else nan, pairs=self.pairs)
