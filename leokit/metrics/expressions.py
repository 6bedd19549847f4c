"""Whether mouths and eyes follow: pairs of frames whose pose agrees and whose expression does not.

Reconstruction errors are means over the picture and hardly see an expression. Here landmarks (iBUG 300-W, 68 points)
choose pairs of frames of one video between which little but the mouth, or the eyes, has moved, and only the region of
these is looked at. The eye aspect ratio is that of Soukupová & Čech ("Real-Time Eye Blink Detection using Facial
Landmarks", CVWW 2016); the rest is our own.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.utils import check_shape

PARTS = dict(mouth=slice(48, 68), eyes=slice(36, 48))
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
RIGID = (27, 28, 29, 30, 33, 36, 39, 42, 45)  # bridge and tip of the nose, corners of the eyes
LEAST_CHANGE = dict(mouth=0.1, eyes=0.06)  # of what expression() gives; less is within the landmarks' noise
MAX_POSE = 0.1  # mean distance of the rigid points, in distances of the eyes
MARGIN = 0.15  # around the landmarks of a region, in distances of the eyes


class ExpressionPair(NamedTuple):
    """Two frames of one video.

    Attributes:
        source (int): Place of one frame.
        driving (int): Place of the other.
        change (float): How much further mouth or eyes are open in the driving frame.
        region (tuple[float, float, float, float], optional): What holds mouth or eyes of both frames: left, top, right,
            bottom, in pixels. None: the pixels that differ, where nothing else makes a difference.
    """

    source: int
    driving: int
    change: float
    region: tuple[float, float, float, float] | None


def eye_distance(landmarks: Tensor) -> Tensor:
    """Distance of the middles of the eyes, (B,), of landmarks (B, 68, 2)."""
    return (landmarks[:, RIGHT_EYE].mean(1) - landmarks[:, LEFT_EYE].mean(1)).norm(dim=-1)


def expression(landmarks: Tensor) -> dict[str, Tensor]:
    """How far mouth and eyes are open.

    Args:
        landmarks (Tensor): Shape (B, 68, 2).

    Returns:
        dict[str, Tensor]: ``mouth``, mean height of the inner lips over the distance of the eyes, and ``eyes``, mean
        eye aspect ratio; shape (B,).

    Raises:
        ValueError: If the shape is another one.
    """
    check_shape('landmarks', landmarks, (None, NUM_LANDMARKS, 2))

    def apart(a: int, b: int) -> Tensor:
        return (landmarks[:, a] - landmarks[:, b]).norm(dim=-1)

    lips = (apart(61, 67) + apart(62, 66) + apart(63, 65)) / 3
    right = (apart(37, 41) + apart(38, 40)) / (2 * apart(36, 39))
    left = (apart(43, 47) + apart(44, 46)) / (2 * apart(42, 45))
    return dict(mouth=lips / eye_distance(landmarks), eyes=(right + left) / 2)


def expression_pairs(landmarks: Tensor, part: str, count: int = 4) -> list[ExpressionPair]:
    """The pairs of frames between which a part of the face changes most while the pose stays.

    Args:
        landmarks (Tensor): Of the frames of one video, shape (T, 68, 2); NaN where there was no face.
        part (str): ``'mouth'`` or ``'eyes'``.
        count (int): At most so many pairs of frames, no frame in two of them.

    Returns:
        list[ExpressionPair]: Every pair in both directions, those with the greatest change first.

    Raises:
        ValueError: If the shape is another one.
    """
    opening = expression(landmarks)[part]
    change = opening[None] - opening[:, None]
    rigid, unit = landmarks[:, RIGID], eye_distance(landmarks).nanmean()
    pose = (rigid[:, None] - rigid[None]).norm(dim=-1).mean(-1) / unit
    size = torch.where(pose <= MAX_POSE, change.abs(), 0.0).nan_to_num(0.0).triu()
    pairs: list[ExpressionPair] = []
    while len(pairs) < 2 * count and size.numel() and size.max() >= LEAST_CHANGE[part]:
        first, second = divmod(int(size.argmax()), len(size))
        points = landmarks[[first, second]][:, PARTS[part]].flatten(0, 1)
        low, high = points.amin(0) - MARGIN * unit, points.amax(0) + MARGIN * unit
        region = (*low.tolist(), *high.tolist())
        pairs += [ExpressionPair(a, b, float(change[a, b]), region) for a, b in ((first, second), (second, first))]
        for frame in (first, second):
            size[frame] = size[:, frame] = 0
    return pairs


class ExpressionScore:
    """Sums over the regions of pairs.

    ``driven`` is the least-squares factor by which the picture, as the driving code takes the place of the source's
    own, changes as the true frames do: 0 where the code changes nothing, 1 where all of the change arrives. Painting
    the same mean mouth for every code does not raise it. ``ratio_l1`` is the error of copying the source over that of
    the prediction: above 1 is better than copying, and blur costs.
    """

    def __init__(self) -> None:
        self.pairs = 0
        self._sums = torch.zeros(4, dtype=torch.float64)

    def add(self, source: Tensor, driving: Tensor, prediction: Tensor, still: Tensor) -> None:
        """Take in the region of one pair.

        Args:
            source (Tensor): The source frame, (3, h, w) or (3, pixels).
            driving (Tensor): The driving frame.
            prediction (Tensor): The source in the motion of the driving frame.
            still (Tensor): The source in its own motion.
        """
        true, made = driving - source, prediction - still
        self._sums += torch.stack([(true * made).sum(), true.square().sum(), true.abs().sum(),
                                   (prediction - driving).abs().sum()]).double().cpu()
        self.pairs += 1

    def values(self) -> dict[str, float]:
        """``driven``, ``ratio_l1`` and ``pairs``; NaN without pairs."""
        along, power, copied, error = self._sums.tolist()
        nan = float('nan')
        return dict(driven=along / power if power else nan, ratio_l1=copied / error if error else nan,
                    pairs=self.pairs)
