"""The style ``textured``: noise on skin, hair, clothes and background, shading, single teeth, and a camera.

Drawn faces are flat; networks that learn from them have to ignore what most pixels of a photograph show. The textures
stick to what they belong to: that of the skin turns with the head. None of it changes the motion; the camera shows
heads in several sizes and places.
"""

from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.synthetic_faces.canvas import Canvas, band, bump, cover
from leokit.synthetic_faces.face import MOUTH_OPENING, mouth_shape
from leokit.synthetic_faces.geometry import VIEW, HeadFrame, Shell, View, pixel_grid
from leokit.synthetic_faces.motion_parameters import ParameterTable
from leokit.synthetic_faces.noise import fractal_noise

TEXTURE_STREAM = 5  # separates the random numbers of textures from those of identities, motions and splits
# Ranges of the parameters; amplitudes are fractions of the brightness.
TEXTURE_RANGES = dict(
    offset_x=(0, 200), offset_y=(0, 200),  # of the noise, in cells
    skin_mottle=(0.03, 0.14), skin_pores=(0.0, 0.10), hair_grain=(0.15, 0.55),
    cloth_weave=(0.05, 0.4), cloth_scale=(4, 40), clutter=(0.1, 0.9), clutter_scale=(0.8, 5),
    light_x=(-1, 1), light_y=(-0.9, 0.3), light_strength=(0.1, 0.75),
    teeth_gaps=(0.0, 0.5), teeth_count=(5, 9), teeth_shade=(0.75, 1.0), teeth_lower=(-0.3, 0.3), mouth_depth=(0.3, 1.0),
    # lens blur in pixels of an image of 128, noise, contrast, gamma, white balance, vignette
    blur=(0.0, 1.0), noise=(0.0, 0.02), contrast=(0.8, 1.15), gamma=(0.8, 1.25), red=(0.9, 1.1), green=(0.95, 1.05),
    blue=(0.85, 1.1), vignette=(0.0, 0.5),
    # magnification about the middle of the face, then shift as a fraction of the image
    zoom=(0.85, 1.25), shift_x=(-0.05, 0.05), shift_y=(-0.05, 0.05))
FACE_MIDDLE = 0.26  # between the eyes and the chin of an average face, scene units below the center of the image
TEXTURE_NAMES = tuple(TEXTURE_RANGES)
NOISE_VALUES = 2**20  # a power of two
FRAME_STEP = 97_417  # between the noise of consecutive frames


def sample_textures(numbers: Iterable[int], seed: int = 0) -> np.ndarray:
    """Sample the textures of identities.

    Args:
        numbers (Iterable[int]): Identity numbers, each >= 0.
        seed (int): Seed of the dataset.

    Returns:
        np.ndarray: float32 of shape (identities, len(TEXTURE_NAMES)).
    """
    low, high = np.array(list(TEXTURE_RANGES.values()), dtype=np.float64).T
    rows = [np.random.default_rng((seed, TEXTURE_STREAM, number)).uniform(low, high) for number in numbers]
    return np.array(rows, dtype=np.float32).reshape(-1, len(TEXTURE_NAMES))


class Finish:
    """What becomes of the parts of an image once they are painted: drawn faces stay as they are."""

    def view(self, size: int) -> View:
        """What images of a resolution show."""
        return View(size)

    def background(self, canvas: Canvas) -> None:
        """The background is painted."""

    def body(self, canvas: Canvas, x: Tensor, y: Tensor) -> AbstractContextManager:
        """Around painting the body, whose coordinates x and y move with it."""
        return nullcontext()

    def hair(self, canvas: Canvas, x: Tensor, y: Tensor) -> AbstractContextManager:
        """Around painting hair; x and y, (B, H, W), move with it."""
        return nullcontext()

    def head(self, canvas: Canvas, appearance: ParameterTable, frame: HeadFrame,
             skull: Shell) -> AbstractContextManager:
        """Around painting the head."""
        return nullcontext()

    def skin(self, canvas: Canvas, frame: HeadFrame, skin: Shell) -> None:
        """The skin is painted, and nothing on it."""

    def mouth(self, canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame,
              skin: Shell) -> None:
        """The mouth is painted."""

    def image(self, pixels: Tensor, numbers: Tensor) -> Tensor:
        """Everything is painted: the images (B, 3, H, W), whose numbers in their clips are given, int64 (B,)."""
        return pixels


class TexturedFinish(Finish):
    """Textures, shading, single teeth and a camera.

    Args:
        textures (Tensor): Shape (1 or B, len(TEXTURE_NAMES)); of one identity, it serves any number of images.
    """

    def __init__(self, textures: Tensor) -> None:
        self._texture = ParameterTable(TEXTURE_NAMES, textures.float())
        self._clutter: Tensor | None = None

    def view(self, size: int) -> View:
        """What images of a resolution show: heads of other sizes, elsewhere."""
        zoom = self._texture['zoom']
        x, y = (-2 * VIEW * self._texture[name] / zoom for name in ('shift_x', 'shift_y'))
        return View(size, zoom, x, y + FACE_MIDDLE * (1 - 1 / zoom))

    def background(self, canvas: Canvas) -> None:
        """Clutter in colors of its own, which does not move."""
        if self._clutter is None:
            x, y = pixel_grid(View(canvas.pixels.shape[-1]), canvas.pixels.device)
            scale = self._texture['clutter_scale']
            brightness = self._noise(x * scale, y * scale + 90, 4)
            colors = [brightness + 0.35 * self._noise(x * scale + 50 * channel, y * scale, 4) for channel in range(3)]
            self._clutter = 0.7 * self._texture['clutter'][:, None] * torch.stack(colors, dim=1)
        canvas.pixels.add_(self._clutter).clamp_(0, 1)

    @contextmanager
    def body(self, canvas: Canvas, x: Tensor, y: Tensor) -> Iterator[None]:
        """Cloth."""
        with _painting(canvas) as painted:
            yield
        scale = self._texture['cloth_scale']
        canvas.shade(1 + self._texture['cloth_weave'] * self._noise(x * scale, y * scale, 2), painted())

    @contextmanager
    def hair(self, canvas: Canvas, x: Tensor, y: Tensor) -> Iterator[None]:
        """Single strands."""
        with _painting(canvas) as painted:
            yield
        canvas.shade(1 + self._texture['hair_grain'] * self._noise(x * 45, y * 6 + 3 * x, 2), painted())

    @contextmanager
    def head(self, canvas: Canvas, appearance: ParameterTable, frame: HeadFrame, skull: Shell) -> Iterator[None]:
        """Lambertian shading by a light that does not turn with the head."""
        with _painting(canvas) as painted:
            yield
        x, y = frame.x / appearance['face_width'], frame.y / appearance['face_top']
        length = (x * x + y * y + skull.facing.square()).sqrt().clamp(min=1e-3)
        light_x, light_y = self._texture['light_x'], self._texture['light_y']
        lit = (x * light_x + y * light_y + skull.facing) / (length * (1 + light_x**2 + light_y**2).sqrt())
        canvas.shade(1 + self._texture['light_strength'] * (lit.clamp(min=0) - 0.7), painted())

    def skin(self, canvas: Canvas, frame: HeadFrame, skin: Shell) -> None:
        """Blotches, redness and pores within the outline of the head."""
        inside, mottle = cover(skin.distance, frame.pixel), self._texture['skin_mottle']
        blotches = mottle * self._noise(skin.x * 7, skin.y * 7, 2)
        canvas.shade(1 + blotches + self._texture['skin_pores'] * self._noise(skin.x * 60, skin.y * 60, 1), inside)
        tint = canvas.pixels.new_tensor([0.5, -0.5, -0.5]).view(1, 3, 1, 1)
        canvas.pixels.mul_(1 + tint * (inside * mottle * self._noise(skin.x * 5 + 40, skin.y * 5, 1))[:, None])

    def mouth(self, canvas: Canvas, appearance: ParameterTable, motion: ParameterTable, frame: HeadFrame,
              skin: Shell) -> None:
        """Gaps between the upper teeth, teeth that are not white, lower teeth, and a darker throat."""
        texture, soft = self._texture, skin.softness
        across, y, width, _, full, gap_top, gap_bottom = mouth_shape(appearance, motion, frame, skin)
        opened = motion['mouth_open']
        inside = band(gap_top, gap_bottom, y, soft)
        throat = bump((across / 0.6) ** 2 + ((y - 0.4 * gap_bottom) / (0.3 * MOUTH_OPENING * opened + 0.01)) ** 2)
        canvas.shade(texture['mouth_depth'], inside * throat)
        upper = band(gap_top, gap_top + (0.34 * MOUTH_OPENING) * opened.sqrt() * full, y, soft) * inside
        # teeth at the corners of the mouth are further back, in its shadow
        canvas.shade(texture['teeth_shade'] * (1 - 0.4 * across.square().clamp(max=1)), upper)
        place = across * texture['teeth_count']
        gaps = cover((place - place.round()).abs() - 0.07, 2 * soft * texture['teeth_count'] / width)
        canvas.shade(1 - texture['teeth_gaps'], upper * gaps)
        height = texture['teeth_lower'].clamp(min=0) * MOUTH_OPENING * opened
        lower = band(gap_bottom - height * full, gap_bottom, y, soft) * inside * cover(across.abs() - 0.6, 0.2)
        ivory = canvas.pixels.new_tensor([0.82, 0.80, 0.74]).view(1, 3, 1, 1)
        canvas.paint(ivory * texture['teeth_shade'][:, None], lower)

    def image(self, pixels: Tensor, numbers: Tensor) -> Tensor:
        """What a camera shows: lens blur, vignette, white balance, contrast, gamma, noise."""
        texture, size = self._texture, pixels.shape[-1]
        pixels = _blur(pixels, texture['blur'][:, None] * (size / 128))
        x, y = pixel_grid(View(size), pixels.device)
        balance = torch.stack([texture[name] for name in ('red', 'green', 'blue')], dim=1)  # (B or 1, 3, 1, 1)
        pixels = pixels * balance * (1 - 0.4 * texture['vignette'] * (x * x + y * y))[:, None]
        pixels = ((pixels - 0.5) * texture['contrast'][:, None] + 0.5).clamp(1e-4, 1) ** texture['gamma'][:, None]
        values = _grain(pixels.device)
        within = torch.arange(3 * size * size, device=pixels.device)
        start = numbers * FRAME_STEP + (texture['offset_x'] * 1000).long().flatten()
        grain = values[within + start[:, None] & NOISE_VALUES - 1].view_as(pixels)
        return pixels + texture['noise'][:, None] * grain

    def _noise(self, x: Tensor, y: Tensor, octaves: int) -> Tensor:
        return fractal_noise(x + self._texture['offset_x'], y + self._texture['offset_y'], octaves)


@contextmanager
def _painting(canvas: Canvas) -> Iterator[Callable[[], Tensor]]:
    """Yields a function that gives 1 where pixels have changed since, and 0 elsewhere, (B, H, W)."""
    before = canvas.pixels.clone()
    yield lambda: ((canvas.pixels - before).abs().amax(1) > 1e-4).float()


@lru_cache
def _grain(device: torch.device) -> Tensor:
    return torch.randn(NOISE_VALUES, generator=torch.Generator().manual_seed(2)).to(device)


def _blur(pixels: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with a standard deviation (B or 1, 1, 1, 1) of each image, in pixels."""
    reach = max(1, int(3 * sigma.max().ceil()))
    offsets = torch.arange(-reach, reach + 1, device=pixels.device)
    weights = torch.exp(-0.5 * (offsets / sigma.clamp(min=1e-3)) ** 2)  # (B or 1, 1, 1, taps)
    weights = weights / weights.sum(-1, keepdim=True)
    for dim in (2, 3):
        padding = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
        padded = F.pad(pixels, padding, mode='replicate')
        pixels = sum(weights[..., k:k + 1] * padded.narrow(dim, k, pixels.shape[dim]) for k in range(2 * reach + 1))
    return pixels
