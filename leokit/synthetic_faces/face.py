"""The face of a synthetic head: skin, eyes, brows, nose, mouth, beard, glasses.

Features are painted in the coordinates of the frontal face (see ``geometry``). Pairs of features are painted once, in
coordinates mirrored about the middle of the face. The renderer clips them to the outline of the head.

Arguments of all functions: ``canvas``, B images of H x W pixels (or a box of them); ``appearance``, the parameters of 1
or B identities; ``motion``, those of B frames; ``frame`` and ``skin``, coordinates of shape (B, H, W).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.synthetic_faces.canvas import Canvas, band, bump, cover, smooth_step
from leokit.synthetic_faces.geometry import HeadFrame, Shell, raised_coordinates
from leokit.synthetic_faces.motion_parameters import ParameterTable

NOSE_HEIGHT, MOUTH_HEIGHT, GLASSES_HEIGHT = 0.11, 0.03, 0.07  # distances in front of the skin
MOUTH_OPENING = 0.18  # height of a mouth that is wide open
GAZE_X, GAZE_Y = 0.045, 0.028  # shift of the iris at gaze 1
LID_LINE = 0.75  # height at which the lids of a closed eye meet, as a fraction of the height of the lower lid


class EyeShape(NamedTuple):
    """Outline of the eyes where a pixel shows the face; coordinates as in :class:`~.geometry.Shell`, (B, H, W)."""

    x: Tensor  # from the middle of the eye, positive towards the outer corner
    y: Tensor  # from the line between the corners
    width: Tensor  # half the width
    height: Tensor  # of the upper lid
    arc: Tensor  # 1 in the middle, 0 from the corners on
    upper: Tensor  # open lids
    lower: Tensor


class MouthShape(NamedTuple):
    """Outline of the mouth where a pixel shows the face, (B, H, W)."""

    across: Tensor  # -1 and 1 at the corners
    y: Tensor
    width: Tensor  # half the width
    arc: Tensor  # 1 in the middle, 0 from the corners on
    full: Tensor  # the same, fuller
    gap_top: Tensor  # the opening
    gap_bottom: Tensor


def eye_shape(appearance: ParameterTable, motion: ParameterTable, skin: Shell) -> EyeShape:
    """Where the eyes are, with open lids."""
    x = skin.x.abs() - appearance['eye_spacing']
    y = skin.y - appearance['eye_y'] - appearance['eye_slant'] * x
    width = appearance['eye_width']
    arc = (1 - (x / width) ** 2).clamp(min=0)
    height = appearance['eye_height'] * (1 + 0.18 * motion['brow'])
    return EyeShape(x, y, width, height, arc, -height * arc, 0.6 * appearance['eye_height'] * arc)


def mouth_shape(appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame, skin: Shell) -> MouthShape:
    """Where the mouth is; a smile raises the corners and moves them outwards."""
    x, y = raised_coordinates(skin, frame, MOUTH_HEIGHT)
    opened, smile = motion['mouth_open'], motion['smile']
    width = appearance['mouth_width'] * (1 + 0.25 * smile - 0.16 * opened)
    across = x / width
    arc = (1 - across * across).clamp(min=0)
    full = arc * (2 - arc)
    lift = (0.075 * smile + appearance['mouth_curve']) * across.square().clamp(max=1.4)
    return MouthShape(across, y - appearance['mouth_y'] + lift - 0.02 * smile, width, arc, full,
                      -0.14 * MOUTH_OPENING * opened * full, 0.86 * MOUTH_OPENING * opened * full)


def paint_skin(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, skin: Shell) -> None:
    """Skin within the outline of the head, lit from above and one side, with blush and freckles."""
    inside = cover(skin.distance, frame.pixel * 1.1)
    light = 0.62 * skin.facing - 0.55 * frame.y + appearance['light'] * frame.x
    color = appearance.color('skin')
    canvas.paint(color * color.new_tensor([0.78, 0.68, 0.66]).view(1, 3, 1, 1), inside)
    canvas.paint(color, inside * smooth_step(0.35 + 0.95 * light))
    canvas.paint(1 - (1 - color) * 0.82, inside * 0.7 * smooth_step(light - 0.25))
    cheek = bump(((skin.x.abs() - 0.56 * appearance['face_width']) / 0.085) ** 2 + ((skin.y - 0.17) / 0.07) ** 2)
    canvas.paint(color * color.new_tensor([1.0, 0.66, 0.64]).view(1, 3, 1, 1), inside * cheek * appearance['blush'])
    spots = (torch.sin(skin.x * 71 + 0.7) * torch.sin(skin.y * 83 + skin.x * 19)).clamp(min=0).pow(4)
    area = bump((skin.x / 0.24) ** 2 + ((skin.y - 0.12) / 0.06) ** 2)
    canvas.shade(0.68, inside * spots * area * appearance['freckles'])


def paint_eyes(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, skin: Shell) -> None:
    """Both eyes: white, iris, pupil, highlight, upper lid (lowered by a blink), lashes."""
    soft = skin.softness
    eye = torch.sign(skin.x)  # -1 left, 1 right
    x, y, width, height, arc, upper, lower = eye_shape(appearance, motion, skin)
    closing = motion['blink'] + (1 - motion['blink']) * 0.22 * motion['smile'].clamp(min=0)
    lid = upper + closing * (LID_LINE * lower - upper)
    # lids and socket
    socket = bump((x / (1.2 * width)) ** 2 + ((y + 0.3 * height) / (1.2 * height)) ** 2)
    canvas.shade(0.86, socket)
    canvas.paint(appearance.color('skin') * 0.80, band(upper, lid, y, soft) * 0.8)
    fold = -0.045 - height * (arc + 0.25)
    canvas.shade(0.66, band(fold, fold + 0.016, y, soft) * cover(x.abs() - width, soft * 2) * appearance['lid'])
    # eyeball
    opening = band(lid, lower, y, soft)
    canvas.paint(skin.x.new_tensor([0.96, 0.96, 0.95]).view(1, 3, 1, 1), opening)
    canvas.shade(0.72, band(lid, lid + 0.025, y, soft * 1.5) * opening)
    iris_x = skin.x - eye * appearance['eye_spacing'] - GAZE_X * motion['gaze_x']
    iris_y = y - GAZE_Y * motion['gaze_y'] + 0.006
    distance, size = (iris_x * iris_x + iris_y * iris_y).sqrt(), appearance['iris_size']
    iris = appearance.color('iris')
    canvas.paint(iris * 0.45, opening * cover(distance - size, soft))
    canvas.paint(iris, opening * cover(distance - 0.82 * size, soft))
    canvas.paint(iris * 0.12, opening * cover(distance - 0.44 * size, soft))
    spark = ((iris_x + 0.32 * size) ** 2 + (iris_y + 0.36 * size) ** 2).sqrt()
    canvas.paint(torch.ones_like(iris), opening * cover(spark - 0.24 * size, soft) * 0.95)
    # lashes: a line along the upper lid, thicker in the middle, that extends beyond the outer corner
    thick = appearance['lashes'] * (0.4 + 0.6 * arc)
    line = band(lid - thick, lid + 0.006, y, soft) * cover(x.abs() - 1.04 * width, soft * 1.5)
    canvas.paint(iris.new_tensor([0.10, 0.07, 0.07]).view(1, 3, 1, 1), line * 0.92)
    canvas.shade(0.75, band(lower, lower + 0.010, y, soft) * cover(x.abs() - 0.8 * width, soft * 2))


def paint_brows(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, skin: Shell) -> None:
    """Both brows; they rise, or sink and move towards each other."""
    soft, length = skin.softness, appearance['brow_length']
    x = skin.x.abs() - appearance['eye_spacing'] + 0.03 * (-motion['brow']).clamp(min=0)
    along = x / length
    frown = (-motion['brow']).clamp(min=0) * (0.5 - along) * 0.03
    middle = appearance['brow_y'] - 0.07 * motion['brow'].clamp(min=0) + frown + appearance['brow_slant'] * x
    middle = middle - appearance['brow_arch'] * (1 - along * along)
    thick = appearance['brow_thickness'] * (1.05 - 0.45 * along)
    brow = band(middle - thick, middle + thick, skin.y, soft * 1.2) * cover(x.abs() - length, soft * 1.5)
    canvas.paint(appearance.color('brow_color'), brow * 0.92)


def paint_nose(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, skin: Shell) -> None:
    """Nose in front of the skin: light bridge, round tip with a shadow below, nostrils."""
    x, y = raised_coordinates(skin, frame, NOSE_HEIGHT)
    bridge_x, _ = raised_coordinates(skin, frame, 0.6 * NOSE_HEIGHT)
    soft, width, tip = skin.softness, appearance['nose_width'], appearance['nose_y']
    tone = appearance['nose_tone']
    # the flank away from the light is in shadow; a turn of the head shows more of it
    lean = torch.sign(-appearance['light'])
    flank = bump(((bridge_x - lean * 0.75 * width) / (0.5 * width)) ** 2 + ((y - 0.45 * tip) / (0.55 * tip)) ** 2)
    canvas.shade(1 - 0.20 * tone, flank)
    canvas.shade(1.10, bump((bridge_x / (0.35 * width)) ** 2 + ((y - 0.3 * tip) / (0.7 * tip)) ** 2))
    across = x / width
    round_ = (across * across + ((y - tip + 0.02) / (0.75 * width)) ** 2).clamp(min=1e-6).sqrt()
    below = bump((across / 0.95) ** 2 + ((y - tip - 0.45 * width) / (0.40 * width)) ** 2)
    canvas.shade(1 - 0.36 * tone, below)
    canvas.shade(1.09, cover((round_ - 0.85) * width, soft * 2))
    wings = band(0.86 * width, width * 1.1, round_ * 0.94 * width, soft)
    canvas.shade(0.70, wings * smooth_step((y - tip + 0.1 * width) / (0.3 * width)) * (0.4 + 0.5 * tone))
    hole = ((x.abs() - 0.42 * width) / (0.24 * width)) ** 2 + ((y - tip - 0.42 * width) / (0.15 * width)) ** 2
    canvas.shade(0.50, bump(hole))


def paint_mouth(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame,
                skin: Shell) -> None:
    """Lips around an opening with teeth and tongue."""
    across, y, width, arc, full, gap_top, gap_bottom = mouth_shape(appearance, motion, frame, skin)
    soft, opened, smile = skin.softness, motion['mouth_open'], motion['smile']
    bow = 1 - 0.28 * bump((across / 0.2) ** 2) + 0.2 * bump(((across.abs() - 0.33) / 0.2) ** 2)
    lip_top = gap_top - appearance['lip_upper'] * (1 - 0.2 * smile) * arc * bow
    lip_bottom = gap_bottom + appearance['lip_lower'] * (1 - 0.25 * smile) * full
    # lips
    lips = appearance.color('lips')
    canvas.shade(0.80, bump((across / 0.55) ** 2 + ((y - gap_bottom - appearance['lip_lower'] - 0.03) / 0.022) ** 2))
    canvas.paint(lips * 0.88, band(lip_top, gap_top, y, soft))
    canvas.paint(lips, band(gap_bottom, lip_bottom, y, soft))
    shine = bump((across / 0.4) ** 2 + ((y - gap_bottom - 0.42 * appearance['lip_lower']) / 0.012) ** 2)
    canvas.shade(1.16, shine * band(gap_bottom, lip_bottom, y, soft))
    # inside of the mouth
    inside = band(gap_top, gap_bottom, y, soft)
    canvas.paint(lips.new_tensor([0.24, 0.05, 0.07]).view(1, 3, 1, 1), inside)
    tongue = bump((across / 0.5) ** 2 + ((y - gap_bottom) / (0.42 * MOUTH_OPENING * opened + 0.01)) ** 2)
    canvas.paint(lips.new_tensor([0.78, 0.36, 0.38]).view(1, 3, 1, 1), inside * tongue * opened.sqrt())
    teeth = band(gap_top, gap_top + (0.34 * MOUTH_OPENING) * opened.sqrt() * full, y, soft)
    teeth = teeth * inside * smooth_step((1 - across.abs()) * 6)
    canvas.paint(lips.new_tensor([0.95, 0.94, 0.91]).view(1, 3, 1, 1), teeth)
    # line between closed lips
    closed = band(gap_top - 0.006, gap_bottom + 0.006, y, soft) * cover((across.abs() - 1.04) * width, soft * 1.5)
    canvas.paint(lips * 0.42, closed * (1 - smooth_step(opened * 6)) * 0.9)


def paint_beard(canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame,
                skin: Shell) -> None:
    """Beard around the mouth, from stubble to full, and mustache; their opacity is 0 for most identities."""
    soft = skin.softness * 2.5
    lateral = skin.x.abs() / appearance['face_width']
    edge = appearance['mouth_y'] + 0.04 - 0.30 * smooth_step((lateral - 0.25) / 0.65)
    reach = appearance['beard_width'] * (1 - 0.45 * smooth_step((skin.y - appearance['mouth_y'] - 0.05) / 0.2))
    area = cover(edge - skin.y, soft) * cover(skin.x.abs() - reach, soft)
    area = area * (1 - bump((skin.x / 0.14) ** 2 + ((skin.y - appearance['mouth_y']) / 0.05) ** 2))
    canvas.paint(appearance.color('brow_color'), area * appearance['beard'])
    x, y = raised_coordinates(skin, frame, MOUTH_HEIGHT)
    across = x / (1.15 * appearance['mouth_width'])
    lift = appearance['mouth_y'] - appearance['lip_upper'] - 0.14 * MOUTH_OPENING * motion['mouth_open']
    middle = lift - 0.030 + 0.035 * across * across
    thick = 0.034 * (1.05 - across.pow(4)).clamp(min=0) * (1 - 0.35 * bump((across / 0.12) ** 2))
    hair = band(middle - thick, middle + thick, y, soft * 0.6) * cover(across.abs() - 1, 0.1)
    canvas.paint(appearance.color('brow_color'), hair * appearance['mustache'])


def paint_glasses(canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, skin: Shell) -> None:
    """Rims in front of the eyes, bridge, and temples towards the ears."""
    x, y = raised_coordinates(skin, frame, GLASSES_HEIGHT)
    soft, rim = skin.softness, appearance['glasses_rim']
    y = y - appearance['eye_y'] - 0.01
    u, v = x.abs() - appearance['eye_spacing'], y.abs()
    half_width, half_height = appearance['glasses_width'], appearance['glasses_height']
    corner = appearance['glasses_round'] * torch.minimum(half_width, half_height)
    over_u, over_v = u.abs() - half_width + corner, v - half_height + corner
    outside = (over_u.clamp(min=0).square() + over_v.clamp(min=0).square()).sqrt()
    lens = outside + torch.maximum(over_u, over_v).clamp(max=0) - corner
    shown = appearance['glasses'] * cover(-skin.z, 0.05)
    canvas.paint(torch.ones_like(appearance.color('skin')), cover(lens, soft) * shown * 0.07)
    bridge = band(-rim * 0.8, rim * 0.8, y + 0.02, soft) * cover(x.abs() - appearance['eye_spacing'] + half_width, soft)
    temple = band(-rim * 0.8, rim * 0.8, y + 0.02, soft) * cover(half_width - u, soft)
    wire = torch.maximum(band(-rim, rim, lens, soft), torch.maximum(bridge, temple))
    canvas.paint(appearance.color('glasses_color'), wire * shown)
