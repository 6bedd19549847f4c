"""Geometry of the turning head: pixels are mapped to points on shells around the skull.

The outline of the head is a flat shape that hardly changes with the pose. Every pixel inside gets a depth on an
ellipsoid-like shell; rotating this point back by yaw and pitch gives the point of the frontal face that the pixel
shows. Features painted in these coordinates shift, shrink towards the edge and disappear behind it as on a real head.
Nose, mouth and glasses lie in front of the skin, long hair behind it, each with its own parallax.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.synthetic_faces.motion_parameters import ParameterTable

VIEW = 0.90  # the image shows the square [-VIEW, VIEW]² of the scene; all lengths are in scene units
HEAD_Y = -0.05  # height of the head's center in the image at rest
PIVOT = 0.45  # the head tilts about a point this far below its center
HEAD_DEPTH = 0.45  # half depth of the skull
# The center of the head lies in front of and above the joint of the neck, so it moves when the head turns.
SWING_X, SWING_Y = 0.06, 0.06
JAW_SHIFT = 0.11  # shift of the chin in the direction of a turn
JAW_DROP = 0.09  # lengthening of the face by an open mouth, as a fraction of its lower half
CROWN = 0.30  # squareness of the upper half of the head
MIN_SLOPE = 0.3  # lower limit of the slope of a shell near its outline


class View(NamedTuple):
    """What an image shows of the scene: the square [-VIEW, VIEW]², magnified about its center and shifted."""

    size: int  # resolution
    zoom: Tensor | float = 1.0  # (B, 1, 1)
    x: Tensor | float = 0.0  # scene coordinates of the center of the image, (B, 1, 1)
    y: Tensor | float = 0.0


class HeadFrame(NamedTuple):
    """Pixel coordinates in the upright, unit-scale frame of the head, and the rotation of the head."""

    x: Tensor  # (B, H, W), right
    y: Tensor  # (B, H, W), down
    pixel: Tensor  # (B, 1, 1), size of a pixel
    yaw: Tensor  # (B, 1, 1), radians
    pitch: Tensor  # (B, 1, 1), radians

    def crop(self, rows: slice, columns: slice) -> 'HeadFrame':
        """The same frame within a box of the image."""
        return self._replace(x=self.x[:, rows, columns], y=self.y[:, rows, columns])


class Shell(NamedTuple):
    """A surface around the head, as visible in each pixel."""

    distance: Tensor  # (B, H, W), to the outline, negative inside
    radius: Tensor  # (B, H, W), 0 in the middle, 1 at the outline
    facing: Tensor  # (B, H, W), 1 where the surface faces the viewer, 0 at the outline
    x: Tensor  # (B, H, W), coordinates of the visible point on the frontal head
    y: Tensor
    z: Tensor  # towards the viewer of a frontal head; negative on the back half
    softness: Tensor  # (B, H, W), size of a pixel in these coordinates

    def crop(self, rows: slice, columns: slice) -> 'Shell':
        """The same surface within a box of the image."""
        return Shell(*(field[:, rows, columns] for field in self))


def pixel_size(view: View) -> Tensor | float:
    """Size of a pixel in scene units."""
    return 2 * VIEW / (view.size * view.zoom)


def pixel_grid(view: View, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Scene coordinates of the pixel centers of a square image: x (1 or B, 1, W) and y (1 or B, H, 1)."""
    centers = (torch.arange(view.size, device=device, dtype=torch.float32) + 0.5) * (2 * VIEW / view.size) - VIEW
    return centers.view(1, 1, -1) / view.zoom + view.x, centers.view(1, -1, 1) / view.zoom + view.y


def head_frame(motion: ParameterTable, view: View, device: torch.device | str) -> HeadFrame:
    """Undo translation, roll and scale of the head for every pixel; coordinates of shape (B, size, size)."""
    yaw, pitch, roll = (torch.deg2rad(motion[name]) for name in ('yaw', 'pitch', 'roll'))
    sin, cos, scale = roll.sin(), roll.cos(), motion['scale']
    center_x = motion['tx'] + SWING_X * yaw.sin() + PIVOT * sin
    center_y = HEAD_Y + motion['ty'] + SWING_Y * pitch.sin() + PIVOT * (1 - cos)
    image_x, image_y = pixel_grid(view, device)
    dx, dy = (image_x - center_x) / scale, (image_y - center_y) / scale
    return HeadFrame(dx * cos + dy * sin, dy * cos - dx * sin, pixel_size(view) / scale, yaw, pitch)


def skull_shell(appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame) -> Shell:
    """The surface of the head; beyond the outline its coordinates continue in the plane of the outline."""
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = frame.yaw.sin(), frame.yaw.cos(), frame.pitch.sin(), frame.pitch.cos()
    # outline: two half ellipses, the lower one narrowed towards the chin and squared at the jaw
    bottom = appearance['face_bottom'] * (cos_pitch + 0.22 * sin_pitch + JAW_DROP * motion['mouth_open'])
    below = frame.y > 0
    height = torch.where(below, 1 / bottom, -1 / appearance['face_top']) * frame.y  # >= 0
    low = (height * below).clamp_(max=1)
    width = appearance['face_width'] * (1 - appearance['taper'] * low * low)
    across = (frame.x - (JAW_SHIFT * sin_yaw) * low) / width
    a, b = across * across, height * height
    square = torch.where(below, appearance['squareness'] * low, CROWN)
    radius = (a + b - square * a.clamp(max=1) * b.clamp(max=1)).clamp_(min=1e-6).sqrt_()
    slope = (a / (width * width) + b / (bottom * bottom)).sqrt_() / radius
    distance = (radius - 1) / slope.clamp_(min=1.0)
    # depth on the shell, then rotation back to the frontal head: yaw, then pitch
    facing = (1 - radius * radius).clamp_(min=0).sqrt_()
    depth = HEAD_DEPTH * facing
    x = frame.x * cos_yaw - depth * sin_yaw
    turned = frame.x * sin_yaw + depth * cos_yaw
    y = frame.y * cos_pitch - turned * sin_pitch
    z = frame.y * sin_pitch + turned * cos_pitch
    # a pixel covers more of the surface where the surface is slanted, on the side that turns away
    slant = (across * sin_yaw + frame.y * (sin_pitch / appearance['face_top'])) / facing.clamp(min=MIN_SLOPE)
    softness = frame.pixel * (cos_yaw * cos_pitch + slant).clamp_(0.7, 2.5)
    return Shell(distance, radius, facing, x, y, z, softness)


def raised_coordinates(shell: Shell, frame: HeadFrame, height: float) -> tuple[Tensor, Tensor]:
    """Frontal coordinates x and y, each (B, H, W), at a ``height`` in front of a shell, in scene units.

    A turn of the head shifts these points further than the shell itself.
    """
    return (shell.x - height * frame.yaw.sin(),
            shell.y - height * frame.yaw.cos() * frame.pitch.sin())


def bounding_box(mask: Tensor) -> tuple[slice, slice]:
    """Smallest box (rows, columns) that contains all True pixels of a mask (B, H, W) in any image of the batch.

    On an accelerator, the whole image: waiting for the bounds would take longer than painting it.
    """
    if mask.device.type != 'cpu':
        return slice(None), slice(None)
    flat = mask.any(dim=0)  # (H, W)
    rows, columns = flat.any(dim=1).nonzero(), flat.any(dim=0).nonzero()
    if len(rows) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
