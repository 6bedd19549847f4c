"""Shape of a face, from the maps of its regions (:mod:`leokit.nn.face_regions`): openings and points of mouth and eyes.

Lengths are in units of the distance between the eyes. The measures depend neither on position, scale and rotation of
the face in the image, nor on how the image was augmented.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from leokit.nn.face_regions import FACE_REGIONS, REGION_MARGIN

# Measures by what they tell about the face, in the order of the columns of face_shape(). The left eye is that on the
# left of an upright image. The position is that of the mouth relative to the middle of the eyes: along the line of the
# eyes, and away from it.
FACE_MEASURES = dict(mouth=('mouth_height', 'mouth_width'), eyes=('left_eye_height', 'right_eye_height'),
                     position=('mouth_along', 'mouth_across'))
# Points of the face, in the order of the rows of face_points(): outlines of lips, corners of the eyes, lids.
FACE_POINTS = dict(
    mouth=('mouth_left', 'mouth_right', 'mouth_top', 'mouth_bottom'),
    eyes=('left_eye_left', 'left_eye_right', 'right_eye_left', 'right_eye_right'),
    lids=('left_eye_top', 'left_eye_bottom', 'right_eye_top', 'right_eye_bottom'))
MIN_COS = 0.3  # of twice the angle between box and face, about 36 degrees; see _sides()


def part_factors(weights: Mapping[str, float], parts: Mapping[str, Sequence[str]]) -> Tensor:
    """The weight of a part, divided among what belongs to it.

    Args:
        weights (Mapping[str, float]): By the names of parts, at least one; 0 for the others.
        parts (Mapping[str, Sequence[str]]): ``FACE_MEASURES`` or ``FACE_POINTS``.

    Returns:
        Tensor: One factor for every measure or point, in their order.
    """
    if not weights or not set(weights) <= set(parts):
        raise ValueError(f'weights must name parts of the shape of a face ({", ".join(parts)}), got {dict(weights)}')
    if min(weights.values()) < 0:
        raise ValueError(f'weights must not be negative, got {dict(weights)}')
    return torch.tensor([weights.get(part, 0.0) / len(names) for part, names in parts.items() for _ in names])


def face_shape(maps: Tensor) -> Tensor:
    """Measures of faces.

    Boxes are those of an unrotated frame, so the box of a mouth grows if the head is tilted; sides are those of the
    ellipse that the box encloses, along and across the line of the eyes. ``REGION_MARGIN`` is subtracted.

    In a mirrored image, the eyes change places: the measures are those of the person in the mirror, as an encoder sees
    them.

    Args:
        maps (Tensor): Maps of the regions, shape (B, R, 2, 3), R as in ``FACE_REGIONS``, of square images.

    Returns:
        Tensor: float32 (B, K), columns as in ``FACE_MEASURES``; NaN where a region was not found, or the head is
        tilted so far that its box says nothing.
    """
    mouth, first, second, along, unit = _parts(maps)
    offset = mouth[..., 2] - (first[..., 2] + second[..., 2]) / 2
    width, height = _sides(mouth, along, unit)
    return torch.stack([
        height, width, _sides(first, along, unit)[1], _sides(second, along, unit)[1],
        (offset * along).sum(1), _cross(along, offset)], dim=1) / unit[:, None]


def face_points(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Points of faces, the same in every image of a person: ends of the sides that :func:`face_shape` measures.

    Args:
        maps (Tensor): Maps of the regions, shape (B, R, 2, 3), R as in ``FACE_REGIONS``, of square images.

    Returns:
        tuple[Tensor, Tensor]: Normalized positions (x first), float32 (B, P, 2), rows as in ``FACE_POINTS``, where left
        is the left of an upright image; NaN as in :func:`face_shape`. And the distance of the eyes (B,).
    """
    mouth, first, second, along, unit = _parts(maps)
    across = torch.stack([-along[:, 1], along[:, 0]], dim=1)

    def ends(part: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        width, height = (side[:, None] / 2 for side in _sides(part, along, unit))
        center = part[..., 2]
        return ([center - along * width, center + along * width], [center - across * height, center + across * height])

    mouth_ends, first_ends, second_ends = map(ends, (mouth, first, second))
    points = (*mouth_ends[0], *mouth_ends[1], *first_ends[0], *second_ends[0], *first_ends[1], *second_ends[1])
    return torch.stack(points, dim=1), unit


def _parts(maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Mouth and eyes (B, 2, 3), the left one of the image first; direction (B, 2) and length (B,) between the eyes."""
    mouth, right, left = (maps[:, FACE_REGIONS.index(name)].float() for name in ('mouth', 'right_eye', 'left_eye'))
    # the person's right eye is on the left of the image, unless the image is mirrored
    mirrored = _cross(mouth[..., 0], mouth[..., 1]) < 0  # (B,)
    first, second = (torch.where(mirrored[:, None, None], *pair) for pair in ((left, right), (right, left)))
    line = second[..., 2] - first[..., 2]  # (B, 2)
    unit = line.norm(dim=1)
    return mouth, first, second, line / unit[:, None], unit


def _sides(maps: Tensor, along: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
    """Width and height (B,) of regions (B, 2, 3), whose boxes are at an angle to the direction ``along`` (B, 2).

    An ellipse of the sides w and h at the angle a has the box W² = w² cos² a + h² sin² a, H² = w² sin² a + h² cos² a.
    """
    halves = maps[..., :2].norm(dim=1)  # (B, 2)
    box = (2 * halves - 2 * REGION_MARGIN * unit[:, None]).clamp(min=0).square()
    cos = ((maps[..., 0] * along).sum(1) / halves[:, 0]).square()
    sin = 1 - cos
    double = torch.where(cos - sin > MIN_COS, cos - sin, torch.nan)
    width, height = box.unbind(1)
    return (((cos * width - sin * height) / double).clamp(min=0).sqrt(),
            ((cos * height - sin * width) / double).clamp(min=0).sqrt())


def _cross(first: Tensor, second: Tensor) -> Tensor:
    """Cross product (B,) of vectors (B, 2)."""
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
