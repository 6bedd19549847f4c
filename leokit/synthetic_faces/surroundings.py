"""What is around a synthetic head: background, shoulders, neck and ears."""

import torch
from torch import Tensor

from leokit.synthetic_faces.canvas import Canvas, bump, cover, smooth_step
from leokit.synthetic_faces.geometry import HEAD_Y, PIVOT, HeadFrame, pixel_grid, pixel_size
from leokit.synthetic_faces.motion_parameters import ParameterTable

BODY_FOLLOWS = 0.55  # the share of the head's translation that the shoulders make
EAR_DEPTH = 0.04  # the ears sit a little behind the widest part of the skull


def paint_background(appearance: ParameterTable, batch: int, size: int, device: torch.device | str) -> Canvas:
    """A gradient between two colors, with stripes or soft discs on some; it never moves.

    Args:
        appearance (ParameterTable): Identity parameters, of 1 or ``batch`` faces.
        batch (int): Number of pictures.
        size (int): Their side in pixels.
        device (torch.device | str): Where to compute.

    Returns:
        Canvas: The pictures to paint on.
    """
    x, y = pixel_grid(size, device)
    angle = appearance['background_angle']
    along = x * angle.cos() + y * angle.sin()
    mix = smooth_step(0.5 + along / 2.4).unsqueeze(1)
    pixels = torch.lerp(appearance.color('background'), appearance.color('background_far'), mix)
    stripes = 1 + appearance['background_stripes'] * torch.sin(appearance['background_frequency'] * (along + x * 0.6))
    discs = sum(
        cover(((x - sign * appearance['disc_x']) ** 2 + (y - appearance['disc_y'] * grow) ** 2).sqrt()
              - appearance['disc_radius'] * grow, 0.03)
        for sign, grow in ((1, 1.0), (-1, 0.7), (0.2, 1.3)))
    pixels = (pixels * (stripes + appearance['background_discs'] * discs).unsqueeze(1)).clamp(0, 1)
    return Canvas(pixels.expand(batch, -1, -1, -1).clone())


def paint_body(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable) -> None:
    """Shoulders with a collar; they follow the head's translation in part.

    Args:
        canvas (Canvas): The pictures, size and batch of the result.
        appearance (ParameterTable): Identity parameters.
        motion (ParameterTable): Motion parameters.
    """
    size = canvas.pixels.shape[-1]
    image_x, image_y = pixel_grid(size, canvas.pixels.device)
    x = image_x - BODY_FOLLOWS * motion['tx']
    y = image_y - BODY_FOLLOWS * motion['ty']
    pixel = pixel_size(size)
    slope = x.abs() / appearance['shoulder_width']
    edge = appearance['shoulder_y'] - 0.16 + 0.12 * slope + 0.55 * slope.pow(6)
    inside = cover(edge - y, pixel * 1.2)
    canvas.paint(appearance.color('cloth'), inside)
    lines = appearance['stripes'] * 0.9 * (0.5 + 0.5 * torch.tanh(4 * torch.sin((y - edge * 0.4) * 38)))
    canvas.paint(appearance.color('trim'), inside * lines)
    canvas.shade(0.72, inside * smooth_step((x * torch.sign(-appearance['light']) + 0.2) * 0.8))
    # collar: the skin between the shoulders, with a rim
    reach = appearance['neck_width'] + 0.05
    collar_v = appearance['collar_v']
    opening = appearance['shoulder_y'] - 0.10 + appearance['collar'] + collar_v - (collar_v / reach) * x.abs()
    opening = opening - 0.5 * appearance['collar'] * (x / reach) ** 2
    hole = cover(x.abs() - reach, pixel) * cover(y - opening, pixel)
    rim = cover(x.abs() - reach - 0.05, pixel) * cover(y - opening - 0.05, pixel) * inside
    canvas.paint(appearance.color('trim'), rim)
    canvas.paint(appearance.color('skin') * 0.86, hole * inside)


def paint_neck(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame) -> None:
    """A neck from the moving head to the shoulders, in the shadow of the chin.

    Args:
        canvas (Canvas): The pictures.
        appearance (ParameterTable): Identity parameters.
        motion (ParameterTable): Motion parameters.
        frame (HeadFrame): Pixel coordinates of the head.
    """
    size = canvas.pixels.shape[-1]
    image_x, image_y = pixel_grid(size, canvas.pixels.device)
    low = appearance['shoulder_y'] - 0.16 + BODY_FOLLOWS * motion['ty']
    high = HEAD_Y + PIVOT * 0.5 + motion['ty']
    share = smooth_step((image_y - high) / (low - high))  # 0 at the head, 1 at the shoulders
    middle = motion['tx'] + 0.5 * PIVOT * torch.deg2rad(motion['roll']).sin()
    middle = middle + share * (BODY_FOLLOWS * motion['tx'] - middle)
    half = appearance['neck_width'] * (0.92 + 0.12 * share * share)
    pixel = pixel_size(size)
    sides = cover((image_x - middle).abs() - half, pixel)
    neck = sides * cover(image_y - low - 0.06, 0.06) * cover(high - image_y, pixel)
    canvas.paint(appearance.color('skin') * 0.86, neck)
    chin = appearance['face_bottom'] * (1 + 0.3 * torch.sin(frame.pitch))
    canvas.shade(0.74, neck * smooth_step(1 - (frame.y - chin) / 0.14))


def paint_ears(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, *, front: bool) -> None:
    """Both ears behind the head, or the one on the near side in front of it.

    Args:
        canvas (Canvas): The pictures.
        appearance (ParameterTable): Identity parameters.
        frame (HeadFrame): Pixel coordinates.
        front (bool): False paints both, before the head; True paints the near one again, after it.
    """
    size, pixel = appearance['ear_size'], frame.pixel
    across = frame.x + EAR_DEPTH * frame.yaw.sin()
    # the ear at the side away from the turn comes to the front
    near = smooth_step(-torch.sign(across) * (frame.yaw / 0.25))
    x = across.abs() - (appearance['face_width'] + 0.3 * size) * frame.yaw.cos()
    y = frame.y - 0.02 + 0.15 * frame.pitch.sin()
    shape = cover(_ellipse(x, y, (0.62 * size) * (1 + 0.35 * near), size), pixel) * appearance['ears']
    if front:
        shape = shape * near
    canvas.paint(appearance.color('skin') * 0.93, shape)
    inner = bump((x / (0.32 * size)) ** 2 + ((y + 0.1 * size) / (0.5 * size)) ** 2)
    canvas.shade(0.68, inner * shape)


def _ellipse(x: Tensor, y: Tensor, half_width: Tensor, half_height: Tensor) -> Tensor:
    """First-order distance to an axis-aligned ellipse, negative inside."""
    u, v = x / half_width, y / half_height
    radius = (u * u + v * v).clamp(min=1e-6).sqrt()
    slope = ((u / half_width) ** 2 + (v / half_height) ** 2).sqrt() / radius
    return (radius - 1) / slope.clamp(min=1.0)
