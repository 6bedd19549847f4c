"""Draw synthetic faces: looks and motion in, pictures out, a whole batch of frames at once on any device."""

import torch
from torch import Tensor

from leokit.synthetic_faces import face, hair, surroundings
from leokit.synthetic_faces.appearance import IDENTITY_NAMES
from leokit.synthetic_faces.canvas import Canvas, cover
from leokit.synthetic_faces.geometry import HeadFrame, Shell, box_of, head_frame, make_skull
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES, ParameterTable

# Pixels drawn at once on the CPU: the working set of one layer then stays in a core's cache.
CHUNK_PIXELS = 1 << 16
# Bounds of a head with its ears and the most voluminous hair, and of the features on a face, in scene units.
HEAD_REACH, HEAD_TOP, HEAD_BOTTOM = 0.80, -0.95, 0.85
FEATURE_REACH, NOSE_TOP, MOUTH_TOP, EYES_BOTTOM = 0.42, -0.34, 0.04, 0.45


def render_faces(identity: Tensor, motion: Tensor, *, size: int = 64) -> Tensor:
    """Draw one picture for each row of motion.

    Args:
        identity (Tensor): Looks, shape (1, len(IDENTITY_NAMES)) for one face in all frames, or (B, ...).
        motion (Tensor): Motion parameters, shape (B, len(MOTION_NAMES)), in the ranges of ``MOTION_PARAMETERS``.
        size (int): Side of the pictures in pixels. Default: 64.

    Returns:
        Tensor: uint8, shape (B, 3, size, size), RGB, on the device of ``motion``.

    Raises:
        ValueError: If the shapes do not fit.
    """
    batch = motion.shape[0]
    if identity.shape[0] not in (1, batch):
        raise ValueError(f'identity must have 1 or {batch} rows, got {identity.shape[0]}')
    pictures = torch.empty(batch, 3, size, size, dtype=torch.uint8, device=motion.device)
    chunk = max(1, CHUNK_PIXELS // (size * size)) if motion.device.type == 'cpu' else batch
    for start in range(0, batch, chunk):
        rows = slice(start, start + chunk)
        who = identity if identity.shape[0] == 1 else identity[rows]
        pixels = draw_frames(who.float(), motion[rows].float(), size)
        pictures[rows] = pixels.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
    return pictures


def draw_frames(identity: Tensor, motion: Tensor, size: int) -> Tensor:
    """Draw pictures in floating point; see :func:`render_faces`.

    Returns:
        Tensor: float32, shape (B, 3, size, size), in [0, 1] up to highlights.
    """
    looks, moves = ParameterTable(IDENTITY_NAMES, identity), ParameterTable(MOTION_NAMES, motion)
    frame = head_frame(moves, size, motion.device)
    # back to front: surroundings
    canvas = surroundings.paint_background(looks, motion.shape[0], size, motion.device)
    if _worn(looks, 'back_hair', 'bun'):
        hair.paint_back_hair(canvas, looks, frame, curtains=False)
    surroundings.paint_body(canvas, looks, moves)
    surroundings.paint_neck(canvas, looks, moves, frame)
    if _worn(looks, 'back_hair'):
        hair.paint_back_hair(canvas, looks, frame, curtains=True)
    # head
    box = box_of((frame.x.abs() < HEAD_REACH) & (frame.y > HEAD_TOP) & (frame.y < HEAD_BOTTOM))
    head, frame = canvas.crop(*box), frame.crop(*box)
    skin = make_skull(looks, moves, frame)
    surroundings.paint_ears(head, looks, frame, front=False)
    face.paint_skin(head, looks, frame, skin)
    # face
    box = box_of(skin.distance < frame.pixel)
    draw_face(head.crop(*box), looks, moves, frame.crop(*box), skin.crop(*box))
    # what lies over the face
    surroundings.paint_ears(head, looks, frame, front=True)
    if _worn(looks, 'hair'):
        hair.paint_hair_cap(head, looks, frame, skin)
    return canvas.pixels


def draw_face(canvas: Canvas, looks: ParameterTable, moves: ParameterTable, frame: HeadFrame, skin: Shell) -> None:
    """Paint the features of the face onto its skin, and nowhere else.

    Args:
        canvas (Canvas): The pictures, or the box of them that holds the faces; so for the coordinates.
        looks (ParameterTable): Identity parameters.
        moves (ParameterTable): Motion parameters.
        frame (HeadFrame): Pixel coordinates.
        skin (Shell): The surface of the head.
    """
    bare = canvas.pixels.clone()
    if _worn(looks, 'beard', 'mustache'):
        face.paint_beard(canvas, looks, moves, frame, skin)
    # each feature in the box that it can reach
    box = box_of((skin.x.abs() < FEATURE_REACH) & (skin.y > NOSE_TOP))
    face.paint_nose(canvas.crop(*box), looks, frame.crop(*box), skin.crop(*box))
    box = box_of((skin.x.abs() < FEATURE_REACH) & (skin.y > MOUTH_TOP))
    face.paint_mouth(canvas.crop(*box), looks, moves, frame.crop(*box), skin.crop(*box))
    box = box_of(skin.y < EYES_BOTTOM)
    face.paint_eyes(canvas.crop(*box), looks, moves, skin.crop(*box))
    face.paint_brows(canvas.crop(*box), looks, moves, skin.crop(*box))
    if _worn(looks, 'glasses'):
        face.paint_glasses(canvas.crop(*box), looks, frame.crop(*box), skin.crop(*box))
    canvas.pixels.copy_(bare.lerp_(canvas.pixels, cover(skin.distance, frame.pixel)[:, None].expand_as(bare)))


def _worn(looks: ParameterTable, *names: str) -> bool:
    """Whether any identity of the batch has one of these."""
    return any(bool((looks[name] > 0).any()) for name in names)
