"""Direction of the head from facial landmarks, by fitting a rigid head under weak perspective.

The nine rigid points of :data:`~leokit.metrics.expressions.RIGID` are compared with those of an average adult; the
closest scaled rotation follows in closed form from the least-squares affine camera. The lengths of the average head are
rounded from Farkas, "Anthropometry of the Head and Face", 1994: 90 mm between the outer corners of the eyes, 33 between
the inner ones, 51 from the root to the base of the nose, 45 along its bridge, 19.5 from its base to its tip. The depths
of the corners of the eyes are ours. A head of other proportions shifts all angles of a person by a few degrees and
scales their changes by some percent, so compare changes, and many people.
"""

import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.metrics.expressions import RIGID
from leokit.utils import check_shape

# Millimeters: x to the right of the image, y down, z towards the camera; one row per point of RIGID.
AVERAGE_HEAD = ((0, -3, 18), (0, 10, 25.3), (0, 23, 32.7), (0, 36, 40), (0, 48, 24.6),
                (-45, 0, -6), (-16.5, 0, 4), (16.5, 0, 4), (45, 0, -6))


def head_pose(landmarks: Tensor) -> dict[str, Tensor]:
    """Yaw, pitch and roll of heads, with the signs of SyntheticFaces.

    Args:
        landmarks (Tensor): Shape (B, 68, 2), in any unit.

    Returns:
        dict[str, Tensor]: Degrees, float64 (B,), NaN without landmarks: ``yaw`` (positive: the face turns to the right
        of the image) and ``pitch`` (positive: it looks down) of the direction of the face, and ``roll`` (positive:
        clockwise) of the line of the eyes.
    """
    check_shape('landmarks', landmarks, (None, NUM_LANDMARKS, 2))
    points = landmarks[:, RIGID].detach().double()
    found = points.isfinite().all(-1).all(-1)
    points = torch.where(found[:, None, None], points, 0)
    head = points.new_tensor(AVERAGE_HEAD)
    head = head - head.mean(0)
    camera = (torch.linalg.pinv(head) @ (points - points.mean(1, keepdim=True))).mT  # (B, 2, 3), affine
    left, _, right = torch.linalg.svd(camera, full_matrices=False)
    across, down = rearrange(left @ right, 'b row column -> row b column')  # the closest two rows of a rotation
    towards = torch.linalg.cross(across, down)
    angles = dict(yaw=torch.atan2(across[:, 2], towards[:, 2]), pitch=torch.asin(down[:, 2].clamp(-1, 1)),
                  roll=torch.atan2(down[:, 0], across[:, 0]))
    return {name: torch.where(found, angle.rad2deg(), torch.nan) for name, angle in angles.items()}
