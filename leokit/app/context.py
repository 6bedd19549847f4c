"""What all tabs share: the models, one at a time on the device; the files; the limits."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.app.files import PrivateFiles, Visitor
from leokit.app.limits import Limits
from leokit.app.models import AppModels
from leokit.encoders import Encoding
from leokit.inference import FaceCropper, encode, render
from leokit.models import Animator
from leokit.registry import SAMPLERS
from leokit.samplers import Sampler
from leokit.utils import UserError
from leokit.utils.modules import device_of
from leokit.utils.pixels import to_uint8
from leokit.video import read_images

Item = TypeVar('Item')

DEFAULT_RANGE = 2.0  # of the sliders, if the spread of the codes is unknown; as in leokit manipulate
RANGE_IN_STD = 3.0


class AppContext:
    """The state of the page. Its methods may be called from any thread.

    Visitors share the models. Each chunk of frames is computed under a lock, so jobs take turns and none waits for the
    end of another.

    Args:
        models (AppModels): The models, loaded once.
        limits (Limits): The limits of a visitor.
        files (PrivateFiles): The files of all visitors.

    Attributes:
        turn (threading.Lock): Held by whoever computes on the device.
    """

    def __init__(self, models: AppModels, limits: Limits, files: PrivateFiles) -> None:
        self.models = models
        self.limits = limits
        self.files = files
        self.turn = threading.Lock()

    @property
    def animator(self) -> Animator:
        """Animator: The animator, which every model has."""
        return self.models.leo.animator

    @property
    def device(self) -> torch.device:
        """torch.device: Where the models are."""
        return device_of(self.animator)

    def missing(self, part: str) -> str:
        """Why ``'generator'`` or ``'unconditional_generator'`` of the models does not exist; '' if it does."""
        try:
            getattr(self.models.leo, part)
        except UserError as error:
            return str(error)
        return ''

    def in_turn(self, items: Iterable[Item]) -> Iterator[Item]:
        """Compute items one by one, in turn with other visitors."""
        items = iter(items)
        try:
            while True:
                with self.turn:
                    item = next(items, None)
                if item is None:
                    return
                yield item
        finally:
            if hasattr(items, 'close'):
                items.close()  # ends the thread that decodes the driving video

    def face(self, image: np.ndarray, path: str) -> Tensor:
        """An uploaded image cropped to its face, if the animator was trained on faces; as :meth:`source`."""
        return FaceCropper(self.animator).image(image, Path(path).name).images

    def source(self, image: np.ndarray) -> Tensor:
        """An image as the animator takes it, shape (1, 3, S, S) in [-1, 1]; uint8 RGB (H, W, 3)."""
        return read_images(image, self.animator.size, crop=self.animator.crop)

    def encode(self, visitor: Visitor, key: tuple, source: Tensor) -> Encoding:
        """Encode an image (1, 3, S, S); the newest one is remembered, so that sliders do not encode it again."""
        known = visitor.memory.get('encoding')
        if known is None or known[0] != key:
            with self.turn:
                known = key, encode(self.animator, source)
            visitor.memory['encoding'] = known
        return known[1]

    def render(self, encoding: Encoding, motion: Tensor) -> np.ndarray:
        """Render codes (1, T, N) of an encoded image as uint8 frames, shape (T, H, W, 3)."""
        with self.turn:
            frames = torch.cat([to_uint8(chunk) for chunk in render(self.animator, encoding, motion)], dim=1)
        return rearrange(frames, '1 t c h w -> t h w c').cpu().numpy()

    @staticmethod
    def pixels(image: Tensor) -> np.ndarray:
        """uint8 (H, W, 3) of an image (1, 3, H, W) in [-1, 1]."""
        return to_uint8(image)[0].permute(1, 2, 0).cpu().numpy()

    def sampler(self, num_inference_steps: int) -> Sampler:
        """The motion diffusion's sampler with another number of steps."""
        config = self.models.leo.generator.motion_diffusion.cfg.model.get('sampler') or dict(type='DDIMSampler')
        return SAMPLERS.build({**config, 'num_inference_steps': num_inference_steps})

    @property
    def default_steps(self) -> int:
        """int: Denoising steps of the motion diffusion's own sampler."""
        return self.models.leo.generator.motion_diffusion.diffusion.sampler.num_inference_steps or 50

    def directions(self) -> list[str]:
        """Directions of the motion space: those with a name first, then the numbers of all dimensions."""
        return [*self.models.leo.directions.names, *map(str, range(self.animator.motion_dim))]

    def direction_range(self, direction: str) -> float:
        """How far a slider moves along a direction: three standard deviations of the codes of training, if known."""
        if self.missing('generator'):
            return DEFAULT_RANGE
        std = self.models.leo.generator.motion_diffusion.normalizer.std.float().cpu()
        vector = self.models.leo.directions.vector(direction)
        spread = float((std * vector).norm() / vector.norm().clamp(min=1e-6) ** 2)
        return RANGE_IN_STD * spread if spread > 0 else DEFAULT_RANGE


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """A number of a visitor as an integer within limits; the page's own controls are not the only ones that send it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value != int(value) \
            or not low <= value <= high:
        raise UserError(f'{name} must be a whole number from {low} to {high}, got {_shown(value)}')
    return int(value)


def real_number(value: object, name: str, low: float, high: float) -> float:
    """A number of a visitor as a float within limits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UserError(f'{name} must be a number from {low:g} to {high:g}, got {_shown(value)}')
    return float(value)


def one_of(value: object, name: str, choices: Sequence[str]) -> str:
    """A choice of a visitor."""
    if not isinstance(value, str) or value not in choices:
        raise UserError(f'{name} must be one of {", ".join(choices)}, got {_shown(value)}')
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f'{text[:37]}...'
