"""Frames at the resolution of their source: what an animator loses of the source is warped with it and added.

An animator renders at its own resolution and blurs a little even there. Both losses are known, because it can render
the source in its own pose. With S the source at full resolution, R that rendering, I a frame, F and m its flow and
mask, F_R and m_R those of R, and up the enlargement,

    frame = up(I) + w · warp(S - up(R), up(F - F_R)),    w = min(1, up(m) / warp(up(m_R)))

The source itself is reproduced exactly. Where the mask falls, something is inpainted that the source does not show, and
details would be wrong there.
"""

from collections.abc import Iterator

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from leokit.encoders import Encoding
from leokit.engine.weight_loading import conventions
from leokit.models import Animator
from leokit.models.animator import Animation
from leokit.nn.grid import identity_grid
from leokit.utils import UserError, check_shape
from leokit.utils.pixels import from_uint8

MAX_SIZE = 1024  # of a frame; enlarging by more adds little
PIXELS = 2**22  # of the frames that are computed at a time
SMALLEST_MASK = 1e-3


class SourceDetails:
    """Adds the details of sources to frames that are rendered of them.

    Args:
        animator (Animator): The animator, see :func:`supports_details`.
        encoding (Encoding): The encodings of B sources.
        sources (Tensor): The sources at the resolution R of the frames, at least that of the animator; shape
            (B, 3, R, R), in [-1, 1] or uint8.
        amp (bool): Render under bfloat16 autocast.

    Raises:
        UserError: If the animator does not support details.
        ValueError: If the sources have another shape.
    """

    def __init__(self, animator: Animator, encoding: Encoding, sources: Tensor, *, amp: bool = False) -> None:
        if not supports_details(animator):
            raise UserError('details of a source are moved by its flow, and the warp operator of this animator does '
                            'not name the grid of its flows; leave the details out')
        check_shape('details', sources, (len(encoding.motion), 3, *sources.shape[-1:] * 2))
        if sources.shape[-1] < animator.size:
            raise ValueError(f'details must have at least the {animator.size} pixels of the model, got '
                             f'{sources.shape[-1]}')
        device = encoding.motion.device
        self.size = sources.shape[-1]
        self._grid = conventions(animator)['grid']
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
            own = animator.animate(encoding, encoding.motion)
        with torch.inference_mode():
            self._flow = self._exact(own.flows[-1].float())
            sources = sources.to(device)
            sources = from_uint8(sources) if sources.dtype == torch.uint8 else sources.float()
            lost = sources - _enlarged(own.frames, self.size, 'bicubic')
            # warped together: (B, 4, R, R)
            self._layers = torch.cat([lost, _enlarged(own.masks[-1], self.size, 'bilinear')], dim=1)

    def __call__(self, animation: Animation) -> Iterator[Tensor]:
        """The frames of an animation (B, t, 3, S, S) in pieces, float32, shape (B, p, 3, R, R), about [-1, 1]."""
        batch = animation.frames.shape[0]
        length = max(1, PIXELS // (batch * self.size**2))
        layers = animation.frames, animation.flows[-1], animation.masks[-1]
        for parts in zip(*(layer.split(length, dim=1) for layer in layers)):
            with torch.inference_mode():  # left before the caller continues
                frames = self._add(*parts)
            yield frames

    def _add(self, frames: Tensor, flows: Tensor, masks: Tensor) -> Tensor:
        batch, count = frames.shape[:2]
        own = self._flow.expand(batch, -1, -1, -1).repeat_interleave(count, dim=0)  # one source may serve all rows
        moved = self._exact(flows.flatten(0, 1).float()) - own
        positions = _enlarged(moved, self.size, 'bilinear') + identity_grid(self.size, self.size, 'exact', moved.device)
        # the frames of one source are sampled as one tall image, so that the source is not copied
        tall = rearrange(positions, '(b t) c h w -> b (t h) w c', b=batch)
        warped = F.grid_sample(self._layers.expand(batch, -1, -1, -1), tall, padding_mode='border', align_corners=False)
        lost, mask = rearrange(warped, 'b c (t h) w -> (b t) c h w', t=count).split([3, 1], dim=1)
        weight = _enlarged(masks.flatten(0, 1), self.size, 'bilinear') / mask.clamp_min(SMALLEST_MASK)
        result = _enlarged(frames.flatten(0, 1), self.size, 'bicubic') + weight.clamp(0, 1) * lost
        return rearrange(result, '(b t) c h w -> b t c h w', b=batch)

    def _exact(self, flow: Tensor) -> Tensor:
        """Offsets (B, 2, s, s) to the exact grid, under which zero is no motion."""
        size = flow.shape[-1]
        positions = flow + identity_grid(size, size, self._grid, flow.device)
        if self._grid == 'corners':  # -1 and 1 are the centers of the corner pixels instead of the outer edges
            positions = positions * ((size - 1) / size)
        return positions - identity_grid(size, size, 'exact', flow.device)


def supports_details(animator: Animator) -> bool:
    """Whether the flows of an animator are offsets to a grid that is known."""
    return 'grid' in conventions(animator)


def _enlarged(x: Tensor, size: int, mode: str) -> Tensor:
    return F.interpolate(x.float(), size=(size, size), mode=mode, align_corners=False)
