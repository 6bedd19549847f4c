"""Surroundings of a synthetic head: background, shoulders, neck and ears; arguments as in :mod:`~.face`."""

import torch
from torch import Tensor

from leokit.synthetic_faces.canvas import Canvas, bump, cover, smooth_step
from leokit.synthetic_faces.geometry import HEAD_Y, PIVOT, HeadFrame, View, pixel_grid, pixel_size
from leokit.synthetic_faces.motion_parameters import ParameterTable

BODY_FOLLOWS = 0.55  # fraction of the head's translation that the shoulders follow
EAR_DEPTH = 0.04  # distance of the ears behind the widest part of the skull


def paint_background(appearance: ParameterTable, batch: int, view: View, device: torch.device | str) -> Canvas:
    """A new canvas with the static background: a gradient of two colors, for some identities stripes or soft discs."""
    x, y = pixel_grid(view, device)
    angle = appearance['background_angle']
    along = x * angle.cos() + y * angle.sin()  # (B, H, W)
    mix = smooth_step(0.5 + along / 2.4).unsqueeze(1)
    pixels = torch.lerp(appearance.color('background'), appearance.color('background_far'), mix)  # (B or 1, 3, H, W)
    stripes = 1 + appearance['background_stripes'] * torch.sin(appearance['background_frequency'] * (along + x * 0.6))
    discs = sum(
        cover(((x - sign * appearance['disc_x']) ** 2 + (y - appearance['disc_y'] * grow) ** 2).sqrt()
              - appearance['disc_radius'] * grow, 0.03)
        for sign, grow in ((1, 1.0), (-1, 0.7), (0.2, 1.3)))
    pixels = (pixels * (stripes + appearance['background_discs'] * discs).unsqueeze(1)).clamp(0, 1)
    return Canvas(pixels.expand(batch, -1, -1, -1).clone())


def body_coordinates(motion: ParameterTable, view: View, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Coordinates x (B, 1, W) and y (B, H, 1) of the shoulders, which partly follow the translation of the head."""
    x, y = pixel_grid(view, device)
    return x - BODY_FOLLOWS * motion['tx'], y - BODY_FOLLOWS * motion['ty']


def paint_body(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, view: View) -> None:
    """Shoulders with a collar."""
    x, y = body_coordinates(motion, view, canvas.pixels.device)
    pixel = pixel_size(view)
    slope = x.abs() / appearance['shoulder_width']
    edge = appearance['shoulder_y'] - 0.16 + 0.12 * slope + 0.55 * slope.pow(6)
    inside = cover(edge - y, pixel * 1.2)
    canvas.paint(appearance.color('cloth'), inside)
    lines = appearance['stripes'] * 0.9 * (0.5 + 0.5 * torch.tanh(4 * torch.sin((y - edge * 0.4) * 38)))
    canvas.paint(appearance.color('trim'), inside * lines)
    canvas.shade(0.72, inside * smooth_step((x * torch.sign(-appearance['light']) + 0.2) * 0.8))
    # collar: skin between the shoulders, with a rim
    reach = appearance['neck_width'] + 0.05
    collar_v = appearance['collar_v']
    opening = appearance['shoulder_y'] - 0.10 + appearance['collar'] + collar_v - (collar_v / reach) * x.abs()
    opening = opening - 0.5 * appearance['collar'] * (x / reach) ** 2
    hole = cover(x.abs() - reach, pixel) * cover(y - opening, pixel)
    rim = cover(x.abs() - reach - 0.05, pixel) * cover(y - opening - 0.05, pixel) * inside
    canvas.paint(appearance.color('trim'), rim)
    canvas.paint(appearance.color('skin') * 0.86, hole * inside)


def paint_neck(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame,
               view: View) -> None:
    """Neck from the moving head to the shoulders, in the shadow of the chin."""
    image_x, image_y = pixel_grid(view, canvas.pixels.device)
    low = appearance['shoulder_y'] - 0.16 + BODY_FOLLOWS * motion['ty']
    high = HEAD_Y + PIVOT * 0.5 + motion['ty']
    share = smooth_step((image_y - high) / (low - high))  # 0 at the head, 1 at the shoulders
    middle = motion['tx'] + 0.5 * PIVOT * torch.deg2rad(motion['roll']).sin()
    middle = middle + share * (BODY_FOLLOWS * motion['tx'] - middle)
    half = appearance['neck_width'] * (0.92 + 0.12 * share * share)
    pixel = pixel_size(view)
    between = cover((image_x - middle).abs() - half, pixel)
    neck = between * cover(image_y - low - 0.06, 0.06) * cover(high - image_y, pixel)
    canvas.paint(appearance.color('skin') * 0.86, neck)
    chin = appearance['face_bottom'] * (1 + 0.3 * torch.sin(frame.pitch))
    canvas.shade(0.74, neck * smooth_step(1 - (frame.y - chin) / 0.14))


def paint_ears(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, *, front: bool) -> None:
    """Both ears, to be painted before the head; with ``front`` the near one again, to be painted after the head."""
    size, pixel = appearance['ear_size'], frame.pixel
    across = frame.x + EAR_DEPTH * frame.yaw.sin()
    # the ear on the side opposite to the turn comes to the front
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
    """First-order approximation of the signed distance to an axis-aligned ellipse, negative inside."""
    u, v = x / half_width, y / half_height
    radius = (u * u + v * v).clamp(min=1e-6).sqrt()
    slope = ((u / half_width) ** 2 + (v / half_height) ** 2).sqrt() / radius
    return (radius - 1) / slope.clamp(min=1.0)
