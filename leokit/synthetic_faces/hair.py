"""Hair of a synthetic head: long hair and bun behind the head, and the cap on it; arguments as in :mod:`~.face`."""

import torch
from torch import Tensor

from leokit.synthetic_faces.canvas import Canvas, bump, cover, smooth_step
from leokit.synthetic_faces.geometry import HeadFrame, Shell
from leokit.synthetic_faces.motion_parameters import ParameterTable

BACK_DEPTH = 0.22  # distance of long hair and bun behind the center of the head


def back_coordinates(frame: HeadFrame) -> tuple[Tensor, Tensor]:
    """Coordinates x and y of the hair behind the head, which moves against a turn; each (B, H, W)."""
    return frame.x + BACK_DEPTH * frame.yaw.sin(), frame.y + BACK_DEPTH * frame.pitch.sin()


def paint_back_hair(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, *, curtains: bool) -> None:
    """Long hair behind the head, and a bun on top; both move against a turn of the head.

    With ``curtains``, only the two sides of the hair, painted again over the shoulders.
    """
    color = appearance.color('hair_color')
    x, y = back_coordinates(frame)
    width, end = appearance['back_width'], appearance['back_end']
    # rounded box from above the head to the ends of the hair, slightly wider at the bottom
    half = width * (0.94 + 0.12 * smooth_step((y + 0.2) / 0.8))
    middle = 0.5 * (end - 0.52)
    tall = 0.5 * (end + 0.52)
    corner = 0.8 * width
    over_x, over_y = x.abs() - half + corner, (y - middle).abs() - tall + corner
    corner_low = 0.25 * width
    low_x, low_y = x.abs() - half + corner_low, (y - middle).abs() - tall + corner_low
    upper = (over_x.clamp(min=0).square() + over_y.clamp(min=0).square()).sqrt() - corner
    lower = (low_x.clamp(min=0).square() + low_y.clamp(min=0).square()).sqrt() - corner_low
    distance = torch.where(y < middle, upper, lower)
    shape = cover(distance, frame.pixel * 1.2) * appearance['back_hair']
    if curtains:  # the part in front of the shoulders, next to the neck
        shape = shape * cover(0.62 * width - 0.10 * (y - 0.6) - x.abs(), frame.pixel * 1.5)
    canvas.paint(color * (0.9 if curtains else 0.72), shape)
    across = (x / width) * appearance['strand_count']
    waves = torch.sin(across * 2.2 + 2.0 * torch.sin(3.5 * y)) + torch.sin(across * 3.7 + 1.5 * torch.sin(2.5 * y + 1))
    canvas.shade(1.10, shape * waves.clamp(min=0))
    if curtains:
        return
    ball = (x.square() + (y - appearance['bun_y']).square()).sqrt() - appearance['bun']
    on = cover(ball, frame.pixel * 1.2) * (appearance['bun'] > 0)
    canvas.paint(color * 0.9, on)
    canvas.shade(1.25, on * bump(((x + 0.05) / 0.07) ** 2 + ((y - appearance['bun_y'] + 0.05) / 0.05) ** 2))


def paint_hair_cap(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, skull: Shell) -> None:
    """Hair on the skull: above the hairline in front, and behind the temples at the sides."""
    soft = skull.softness
    # hair beyond the outline of the head belongs to the nearest point of the outline
    root = skull.radius.clamp(min=1).reciprocal()
    x, y, z = skull.x * root, skull.y * root, skull.z * root
    # outline: that of the skull plus a volume that grows upwards and decreases towards the chin
    up = smooth_step(frame.y / (-0.8 * appearance['face_top']))
    volume = appearance['hair_volume'] * (1 - smooth_step(frame.y / (0.8 * appearance['face_bottom'])))
    volume = volume + (appearance['hair_top'] - appearance['hair_volume']) * up
    volume = volume + appearance['curls'] * torch.sin(torch.atan2(frame.x, -frame.y) * appearance['curl_count'])
    volume = volume * (1 - smooth_step((z - 0.08) / 0.3))  # no volume in front of the face
    outline = cover(skull.distance - volume, frame.pixel * 1.2)
    # front: hairline with parting, sweep to one side and strands
    across = x / appearance['face_width']
    line = appearance['hairline'] + appearance['hairline_curve'] * across.square()
    line = line + 0.35 * appearance['swoop'] * (across - appearance['parting'])
    wave = torch.sin(across * appearance['strand_count'] * 3)
    line = line + appearance['strands'] * wave * (1 + 0.5 * torch.sin(across * 5))
    front = cover(y - line, soft * 1.3)
    back = appearance['hair_side'] - 0.25 * (y + 0.1) - 1.2 * (y - 0.18).clamp(min=0)
    sides = cover(z - back, soft * 1.5) * cover(y - appearance['hair_side_end'], soft * 1.5)
    covered = (1 - (1 - front) * (1 - sides)) * outline * appearance['hair']
    # a soft shadow on the forehead below the hairline, then the hair itself
    below = smooth_step(1 - (y - line) / 0.07) * cover(skull.distance + 0.03, 0.05) * appearance['hair']
    canvas.shade(0.84, below * (1 - covered) * cover(-z + 0.1, 0.05))
    color = appearance.color('hair_color')
    canvas.paint(color, covered)
    light = smooth_step(0.55 + 0.8 * (-frame.y * 0.7 + appearance['light'] * frame.x - 0.35))
    flow = (across - 0.4 * appearance['parting']) * appearance['strand_count'] + 4 * y * appearance['parting']
    strands = 0.5 * (torch.sin(flow * 2.3) + torch.sin(flow * 3.9 + 3 * y + 1))
    canvas.shade((1 - 0.28 * (1 - light)) * (1 + 0.10 * strands.clamp(min=0)), covered)
    shine = bump(((frame.y + 0.40 + 0.25 * frame.x.square()) / 0.05) ** 2) * appearance['gloss']
    canvas.paint(1 - (1 - color) * 0.72, covered * shine * 0.7 * (0.6 + 0.4 * strands))
