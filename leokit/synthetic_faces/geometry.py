"""The turning head: from pixels to points on shells around the skull.

The outline of the head stays a flat shape that hardly changes with the pose. Every pixel inside is lifted to a
depth on an ellipsoid-like shell, and rotating that point back by yaw and pitch says which point of the frontal
face it shows. Features drawn in those coordinates slide, shrink towards the edge and vanish behind it as on a
real head. The nose, the mouth and glasses lie in front of the skin, long hair behind it: each has its own parallax.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.synthetic_faces.motion_parameters import ParameterTable

VIEW = 0.90  # the picture shows the square [-VIEW, VIEW] of the scene; all lengths are in units of the scene
HEAD_Y = -0.05  # resting height of the head's center in the picture
PIVOT = 0.45  # the head tilts about a point this far below its center
HEAD_DEPTH = 0.45  # half depth of the skull
# The center of the head lies in front of and above the neck's joint, so it swings a little when the head turns.
SWING_X, SWING_Y = 0.06, 0.06
JAW_SHIFT = 0.11  # how far the chin leads into a turn
JAW_DROP = 0.09  # how much an open mouth lengthens the face, as a fraction of its lower half
CROWN = 0.30  # squareness of the upper half of the head
MIN_SLOPE = 0.3  # limits how flat a shell is taken to be seen, near its edge


class HeadFrame(NamedTuple):
    """Pixel coordinates in the head's own upright, unit-scale frame, and the turn of the head."""

    x: Tensor  # (B, H, W), right
    y: Tensor  # (B, H, W), down
    pixel: Tensor  # (B, 1, 1), side of a pixel
    yaw: Tensor  # (B, 1, 1), radians
    pitch: Tensor  # (B, 1, 1), radians

    def crop(self, rows: slice, columns: slice) -> 'HeadFrame':
        """The same frame in a box of the picture."""
        return self._replace(x=self.x[:, rows, columns], y=self.y[:, rows, columns])


class Shell(NamedTuple):
    """A surface around the head, as seen in each pixel."""

    distance: Tensor  # (B, H, W), to the outline, negative inside
    radius: Tensor  # (B, H, W), 0 in the middle, 1 at the outline
    facing: Tensor  # (B, H, W), 1 where the surface faces the viewer, 0 at the outline
    x: Tensor  # (B, H, W), where the shown point lies on the frontal head
    y: Tensor
    z: Tensor  # towards the viewer of a frontal head; negative on its back half
    softness: Tensor  # (B, H, W), extent of a pixel in these coordinates

    def crop(self, rows: slice, columns: slice) -> 'Shell':
        """The same surface in a box of the picture."""
        return Shell(*(field[:, rows, columns] for field in self))


def pixel_size(size: int) -> float:
    """Side of one pixel of a picture of ``size`` pixels, in scene units."""
    return 2 * VIEW / size


def pixel_grid(size: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Where the centers of the pixels of a square picture lie in the scene: x (1, 1, W) and y (1, H, 1)."""
    centers = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * pixel_size(size) - VIEW
    return centers.view(1, 1, size), centers.view(1, size, 1)


def head_frame(motion: ParameterTable, size: int, device: torch.device | str) -> HeadFrame:
    """Undo translation, tilt and scale of the head for every pixel.

    Args:
        motion (ParameterTable): Motion parameters of B frames.
        size (int): Side of the pictures in pixels.
        device (torch.device | str): Where to compute.

    Returns:
        HeadFrame: Coordinates, shape (B, size, size).
    """
    yaw, pitch, roll = (torch.deg2rad(motion[name]) for name in ('yaw', 'pitch', 'roll'))
    sin, cos, scale = roll.sin(), roll.cos(), motion['scale']
    center_x = motion['tx'] + SWING_X * yaw.sin() + PIVOT * sin
    center_y = HEAD_Y + motion['ty'] + SWING_Y * pitch.sin() + PIVOT * (1 - cos)
    image_x, image_y = pixel_grid(size, device)
    dx, dy = (image_x - center_x) / scale, (image_y - center_y) / scale
    return HeadFrame(dx * cos + dy * sin, dy * cos - dx * sin, pixel_size(size) / scale, yaw, pitch)


def skull_shell(appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame) -> Shell:
    """The surface of the head.

    Args:
        appearance (ParameterTable): Identity parameters.
        motion (ParameterTable): Motion parameters.
        frame (HeadFrame): Pixel coordinates.

    Returns:
        Shell: The surface; outside the outline its coordinates go on in the plane of the outline.
    """
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = frame.yaw.sin(), frame.yaw.cos(), frame.pitch.sin(), frame.pitch.cos()
    # outline: an ellipse with another lower half, narrowed towards the chin and squared at the jaw
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
    # depth, and back to the frontal head: x, then y
    facing = (1 - radius * radius).clamp_(min=0).sqrt_()
    depth = HEAD_DEPTH * facing
    x = frame.x * cos_yaw - depth * sin_yaw
    turned = frame.x * sin_yaw + depth * cos_yaw
    y = frame.y * cos_pitch - turned * sin_pitch
    z = frame.y * sin_pitch + turned * cos_pitch
    # a pixel covers more of the surface where it is seen at a slant on the side that turns away
    slant = (across * sin_yaw + frame.y * (sin_pitch / appearance['face_top'])) / facing.clamp(min=MIN_SLOPE)
    softness = frame.pixel * (cos_yaw * cos_pitch + slant).clamp_(0.7, 2.5)
    return Shell(distance, radius, facing, x, y, z, softness)


def raised_coordinates(shell: Shell, frame: HeadFrame, height: float) -> tuple[Tensor, Tensor]:
    """Frontal coordinates of what floats in front of a shell: it slides further than the shell when the head turns.

    Args:
        shell (Shell): The surface below.
        frame (HeadFrame): Pixel coordinates.
        height (float): Distance in front of the surface, in scene units.

    Returns:
        tuple[Tensor, Tensor]: x and y, each (B, H, W).
    """
    return (shell.x - height * frame.yaw.sin(),
            shell.y - height * frame.yaw.cos() * frame.pitch.sin())


def bounding_box(shown: Tensor) -> tuple[slice, slice]:
    """The smallest box of rows and columns that holds what is shown in any picture of a batch.

    Args:
        shown (Tensor): bool, shape (B, H, W).

    Returns:
        tuple[slice, slice]: Rows and columns; everything on an accelerator, where looking would cost more than drawing.
    """
    if shown.device.type != 'cpu':
        return slice(None), slice(None)
    flat = shown.any(dim=0)
    rows, columns = flat.any(dim=1).nonzero(), flat.any(dim=0).nonzero()
    if len(rows) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
