"""Where mouth and eyes of a synthetic face are: boxes from the geometry that it is painted with."""

import torch
from torch import Tensor

from leokit.nn.face_regions import FACE_REGIONS, REGION_MARGIN
from leokit.synthetic_faces.appearance import APPEARANCE_NAMES
from leokit.synthetic_faces.face import eye_shape, mouth_shape
from leokit.synthetic_faces.geometry import VIEW, View, head_frame, skull_shell
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES, ParameterTable
from leokit.synthetic_faces.texture import Finish, TexturedFinish

SIZE = 128  # of the grid on which the boxes are measured; a pixel is about a sixth of the margin
CHUNK_FRAMES = 16


def face_boxes(appearance: Tensor, motion: Tensor, textures: Tensor | None = None) -> Tensor:
    """Boxes of mouth, eyes and face, with the margin that real faces have around their landmarks.

    Args:
        appearance (Tensor): Parameters of one identity, shape (1, len(APPEARANCE_NAMES)).
        motion (Tensor): Motion parameters, shape (T, len(MOTION_NAMES)).
        textures (Tensor, optional): Of the identity, shape (1, len(TEXTURE_NAMES)); drawn faces by default.

    Returns:
        Tensor: Left, top, right, bottom as fractions of the image, float32 (T, R, 4), R as in ``FACE_REGIONS``; NaN
        where a region is not in the image.
    """
    looks = ParameterTable(APPEARANCE_NAMES, appearance.float())
    view = (Finish() if textures is None else TexturedFinish(textures)).view(SIZE)
    return torch.cat([_boxes(looks, ParameterTable(MOTION_NAMES, part), view)
                      for part in motion.float().split(CHUNK_FRAMES)])


def _boxes(appearance: ParameterTable, motion: ParameterTable, view: View) -> Tensor:
    frame = head_frame(motion, view, 'cpu')
    skin = skull_shell(appearance, motion, frame)
    eyes, mouth = eye_shape(appearance, motion, skin), mouth_shape(appearance, motion, frame, skin)
    face = skin.distance < 0
    eye = face & (eyes.y > eyes.upper) & (eyes.y < eyes.lower)
    lips = (face & (mouth.y > mouth.gap_top - appearance['lip_upper'] * mouth.arc)
            & (mouth.y < mouth.gap_bottom + appearance['lip_lower'] * mouth.full))
    masks = dict(mouth=lips, right_eye=eye & (skin.x < 0), left_eye=eye & (skin.x > 0), face=face)
    boxes = torch.stack([_bounds(masks[name]) for name in FACE_REGIONS], dim=1)  # (B, R, 4)
    # the distance of the eyes as a fraction of the image
    margin = REGION_MARGIN * view.zoom * motion['scale'] * appearance['eye_spacing'] / VIEW  # (B, 1, 1)
    outwards = torch.tensor([-1.0, -1.0, 1.0, 1.0]) * torch.tensor([[float(name != 'face')] for name in FACE_REGIONS])
    return boxes + margin * outwards


def _bounds(masks: Tensor) -> Tensor:
    """Boxes (B, 4) of the True pixels of masks (B, H, W), as fractions; NaN where there is none."""
    edges = []
    for axis in (1, 2):  # columns, then rows
        seen = masks.any(dim=axis).float()
        low, high = seen.argmax(dim=1), SIZE - seen.flip(1).argmax(dim=1)
        edges.append(torch.stack([low, high], dim=1) / SIZE)
    boxes = torch.stack([edges[0][:, 0], edges[1][:, 0], edges[0][:, 1], edges[1][:, 1]], dim=1)
    return torch.where(masks.flatten(1).any(dim=1)[:, None], boxes, torch.nan)
