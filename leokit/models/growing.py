"""A trained LIA animator at twice the resolution: training goes on where it was, instead of starting anew.

After the progressive growing of GANs (Karras et al., ICLR 2018). The grown animator at first renders what the trained
one does, enlarged, and has the same codes:

    grown(source, driving) = upsample(trained(downsample(source), downsample(driving)))

where both filters are the FIR kernel [1, 3, 3, 1] of its layers. Training then adds the details. Instead, the new level
may render a share of the image by itself, from the warped source, which is as sharp as the source: for animators that
started from the identity, whose masks are near 1.

- Encoder: the first three channels of the new feature map are the negated RGB values (:mod:`leokit.nn.identity_init`).
  The new block makes RGB values of them again, and its second convolution, which halves the resolution, has the
  weights of the trained layer for RGB. Its shortcut is zero.
- Flow generator: the new level adds nothing to the flow, the mask and the image of the level before. With a share of
  its own, it reads the negated RGB values, and the colors of the other levels are scaled down. What they inpaint is
  not: where the mask is small, the new level renders little.
"""

import math

import torch
from torch import nn

from leokit.encoders import LIAEncoder
from leokit.engine.weight_loading import conventions
from leokit.flow_generators.lia_flow_generator import IDENTITY_MASK, LIAFlowGenerator
from leokit.models.animator import Animator
from leokit.nn.equalized import ACTIVATION_GAIN, LEAKY_SLOPE, EqualConv2d
from leokit.nn.identity_init import RGB, init_from_rgb_identity, init_to_rgb_identity
from leokit.utils import UserError


@torch.no_grad()
def grow(trained: Animator, grown: Animator, *, share: float = 0.0) -> None:
    """Give an animator the weights of one of half its resolution.

    Args:
        trained (Animator): A LIA animator.
        grown (Animator): A new one of the same widths with twice the ``size``; its other weights keep their values.
        share (float): Share of the image that the new level renders from the warped source, from 0 to 1.

    Raises:
        UserError: If one of them is no LIA animator, or sizes, widths or conventions do not match.
    """
    if not 0 <= share <= 1:
        raise UserError(f'the share of the new level must be from 0 to 1, got {share}')
    _check(trained, grown)
    grown.motion_space.load_state_dict(trained.motion_space.state_dict())
    _grow_encoder(trained.encoder, grown.encoder)
    _grow_generator(trained.flow_generator, grown.flow_generator, share)


def _grow_encoder(trained: LIAEncoder, grown: LIAEncoder) -> None:
    for old, new in zip(trained.blocks, grown.blocks[1:], strict=True):
        new.load_state_dict(old.state_dict())
    for name in ('to_appearance', 'motion_head'):
        getattr(grown, name).load_state_dict(getattr(trained, name).state_dict())
    init_from_rgb_identity(grown.from_rgb)
    grown.activation.bias[:RGB] = 0
    block = grown.blocks[0]
    # f(-x / (2 s)) of f(-x) is x, with f the activation and s its slope, see identity_init
    inverse = -1 / (ACTIVATION_GAIN**2 * LEAKY_SLOPE)
    _set_center(block.conv1, inverse * torch.eye(RGB, device=block.conv1.weight.device))
    block.activation1.bias[:RGB] = 0
    # the block divides the sum of its two branches by sqrt(2), and f(sqrt(2) x) = sqrt(2) f(x)
    gain = math.sqrt(2)
    block.conv2.weight.zero_()
    _set_center(block.conv2, gain * trained.from_rgb.scale * trained.from_rgb.weight[:, :, 0, 0])
    block.activation2.bias.copy_(gain * trained.activation.bias)
    block.skip.weight.zero_()


def _set_center(conv: EqualConv2d, matrix: torch.Tensor) -> None:
    """Make the first rows of a 3x3 convolution a matrix (rows, RGB) of the first three channels of each pixel."""
    rows = len(matrix)
    conv.weight[:rows] = 0
    conv.weight[:rows, :RGB, 1, 1] = matrix / conv.scale


def _grow_generator(trained: LIAFlowGenerator, grown: LIAFlowGenerator, share: float) -> None:
    grown.constant.copy_(trained.constant)
    grown.first.load_state_dict(trained.first.state_dict())
    for old, new in zip(trained.levels, grown.levels):
        new.load_state_dict(old.state_dict())
        for weight in new.to_rgb.parameters():
            weight.mul_(1 - share)
    last = grown.levels[-1]
    layers = [last.to_flow.conv.weight, last.to_flow.bias, last.to_rgb.activation.bias, last.to_rgb.bias]
    for weight in layers if last.inpaint_rgb is None else [*layers, last.inpaint_rgb.weight]:
        weight.zero_()
    init_to_rgb_identity(last.to_rgb.conv, mask=IDENTITY_MASK)
    last.to_rgb.conv.weight.mul_(share)


def _check(trained: Animator, grown: Animator) -> None:
    for name, kind in (('encoder', LIAEncoder), ('flow_generator', LIAFlowGenerator)):
        for animator in (trained, grown):
            part: nn.Module = getattr(animator, name)
            if type(part) is not kind:
                raise UserError(f'only animators with {kind.__name__} can be grown, and the one of size '
                                f'{animator.size} has {type(part).__name__}')
    if grown.size != 2 * trained.size:
        raise UserError(f'an animator of size {trained.size} grows to {2 * trained.size}, not to {grown.size}; set '
                        f'size={2 * trained.size}, and grow it again for more')
    ours, theirs = conventions(grown), conventions(trained)
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            raise UserError(f'the trained animator has {key}={theirs.get(key)!r}, and the config builds one with '
                            f'{key}={ours.get(key)!r}; set it to {theirs.get(key)!r} in the config')
    pairs = [*zip(trained.encoder.blocks, grown.encoder.blocks[1:], strict=True),
             *zip(trained.flow_generator.levels, grown.flow_generator.levels),
             (trained.motion_space, grown.motion_space)]
    for old, new in pairs:
        shapes = [{key: tuple(value.shape) for key, value in part.state_dict().items()} for part in (old, new)]
        if shapes[0] != shapes[1]:
            raise UserError('the config builds an animator of other widths than the trained one; give it the same '
                            'appearance_dim, motion_dim, channel_multiplier, max_channels and inpaint')
