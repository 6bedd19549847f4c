"""Renderer of synthetic faces: batches of frames from appearance and motion parameters, on any device."""

import torch
from torch import Tensor

from leokit.synthetic_faces import face, hair, surroundings
from leokit.synthetic_faces.appearance import APPEARANCE_NAMES
from leokit.synthetic_faces.canvas import Canvas, cover
from leokit.synthetic_faces.geometry import HeadFrame, Shell, bounding_box, head_frame, skull_shell
from leokit.synthetic_faces.motion_parameters import MOTION_NAMES, ParameterTable
from leokit.synthetic_faces.texture import Finish, TexturedFinish

# Pixels rendered at once on a CPU, so that the tensors of one layer stay in the cache of a core.
CHUNK_PIXELS = 1 << 16
# Bounds of a head with ears and the most voluminous hair, and of the features on a face, in scene units.
HEAD_REACH, HEAD_TOP, HEAD_BOTTOM = 0.80, -0.95, 0.85
FEATURE_REACH, NOSE_TOP, MOUTH_TOP, EYES_BOTTOM = 0.42, -0.34, 0.04, 0.45


def render_faces(appearance: Tensor, motion: Tensor, *, size: int = 64, textures: Tensor | None = None,
                 first_frame: int = 0) -> Tensor:
    """Render one image per row of motion parameters.

    Args:
        appearance (Tensor): Appearance parameters, shape (1, len(APPEARANCE_NAMES)) for one identity in all frames, or
            (B, len(APPEARANCE_NAMES)).
        motion (Tensor): Motion parameters, shape (B, len(MOTION_NAMES)), in the ranges of ``MOTION_PARAMETERS``.
        size (int): Resolution of the images.
        textures (Tensor, optional): Textures and camera, in as many rows as ``appearance``
            (:func:`~leokit.synthetic_faces.texture.sample_textures`); drawn faces by default.
        first_frame (int): Number of the first image in its clip, for the noise of the camera.

    Returns:
        Tensor: RGB, uint8, shape (B, 3, size, size), on the device of ``motion``.
    """
    batch = motion.shape[0]
    if appearance.shape[0] not in (1, batch):
        raise ValueError(f'appearance must have 1 or {batch} rows, got {appearance.shape[0]}')
    if textures is not None and len(textures) != len(appearance):
        raise ValueError(f'textures must have {len(appearance)} rows, as appearance, got {len(textures)}')
    images = torch.empty(batch, 3, size, size, dtype=torch.uint8, device=motion.device)
    chunk = max(1, CHUNK_PIXELS // (size * size)) if motion.device.type == 'cpu' else batch
    finish = Finish()
    for start in range(0, batch, chunk):
        rows = slice(start, start + chunk)
        who = slice(None) if appearance.shape[0] == 1 else rows
        looks = ParameterTable(APPEARANCE_NAMES, appearance[who].float())
        moves = ParameterTable(MOTION_NAMES, motion[rows].float())
        if textures is not None and (start == 0 or len(textures) > 1):
            finish = TexturedFinish(textures[who])
        pixels = paint_frames(looks, moves, size, finish)
        numbers = first_frame + start + torch.arange(len(pixels), device=motion.device)
        pixels = finish.image(pixels, numbers)
        images[rows] = pixels.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
    return images


def paint_frames(appearance: ParameterTable, motion: ParameterTable, size: int, finish: Finish) -> Tensor:
    """Render images in float32, shape (B, 3, size, size), in [0, 1] except for highlights; see :func:`render_faces`."""
    batch, device = len(motion['yaw']), motion['yaw'].device
    view = finish.view(size)
    frame = head_frame(motion, view, device)
    # back to front: surroundings
    canvas = surroundings.paint_background(appearance, batch, view, device)
    finish.background(canvas)
    if _any_present(appearance, 'back_hair', 'bun'):
        with finish.hair(canvas, *hair.back_coordinates(frame)):
            hair.paint_back_hair(canvas, appearance, frame, curtains=False)
    with finish.body(canvas, *surroundings.body_coordinates(motion, view, device)):
        surroundings.paint_body(canvas, appearance, motion, view)
    surroundings.paint_neck(canvas, appearance, motion, frame, view)
    if _any_present(appearance, 'back_hair'):
        with finish.hair(canvas, *hair.back_coordinates(frame)):
            hair.paint_back_hair(canvas, appearance, frame, curtains=True)
    # head
    box = bounding_box((frame.x.abs() < HEAD_REACH) & (frame.y > HEAD_TOP) & (frame.y < HEAD_BOTTOM))
    head, frame = canvas.crop(*box), frame.crop(*box)
    skin = skull_shell(appearance, motion, frame)
    with finish.head(head, appearance, frame, skin):
        surroundings.paint_ears(head, appearance, frame, front=False)
        face.paint_skin(head, appearance, frame, skin)
        finish.skin(head, frame, skin)
        # face
        box = bounding_box(skin.distance < frame.pixel)
        paint_face(head.crop(*box), appearance, motion, frame.crop(*box), skin.crop(*box), finish)
        # layers over the face
        surroundings.paint_ears(head, appearance, frame, front=True)
        if _any_present(appearance, 'hair'):
            with finish.hair(head, skin.x, skin.y):
                hair.paint_hair_cap(head, appearance, frame, skin)
    return canvas.pixels


def paint_face(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame, skin: Shell,
               finish: Finish) -> None:
    """Paint the features of the face, clipped to the outline of the head; arguments as in :mod:`~.face`."""
    bare = canvas.pixels.clone()
    if _any_present(appearance, 'beard', 'mustache'):
        face.paint_beard(canvas, appearance, motion, frame, skin)
    # each feature within the box that it can reach
    box = bounding_box((skin.x.abs() < FEATURE_REACH) & (skin.y > NOSE_TOP))
    face.paint_nose(canvas.crop(*box), appearance, frame.crop(*box), skin.crop(*box))
    box = bounding_box((skin.x.abs() < FEATURE_REACH) & (skin.y > MOUTH_TOP))
    face.paint_mouth(canvas.crop(*box), appearance, motion, frame.crop(*box), skin.crop(*box))
    finish.mouth(canvas.crop(*box), appearance, motion, frame.crop(*box), skin.crop(*box))
    box = bounding_box(skin.y < EYES_BOTTOM)
    face.paint_eyes(canvas.crop(*box), appearance, motion, skin.crop(*box))
    face.paint_brows(canvas.crop(*box), appearance, motion, skin.crop(*box))
    if _any_present(appearance, 'glasses'):
        face.paint_glasses(canvas.crop(*box), appearance, frame.crop(*box), skin.crop(*box))
    inside = cover(skin.distance, frame.pixel)[:, None].expand_as(bare)  # (B, H, W) -> (B, 3, H, W)
    canvas.pixels.copy_(bare.lerp_(canvas.pixels, inside))


def _any_present(appearance: ParameterTable, *names: str) -> bool:
    """Return True if one of these parameters is positive for any identity of the batch."""
    return any(bool((appearance[name] > 0).any()) for name in names)
