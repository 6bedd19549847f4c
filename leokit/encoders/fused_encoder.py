"""The encoder of LIA for inference on a CUDA device: two convolutions and three kernels per block.

Weights are scaled, cast and laid out once. Everything between two convolutions is one kernel
(:mod:`leokit.encoders.encoder_kernels`), which reads and writes a map once; only maps are rounded to the type of the
convolutions. A block of :class:`~leokit.nn.ResidualDownBlock` is

1. its first convolution, then bias, activation and blur;
2. its second convolution, of stride 2;
3. the blur of its input at the positions that the shortcut reads;
4. bias and leaky ReLU of the second convolution, plus the matrix product of the shortcut.

What follows the last block is linear: the appearance vector, and the five layers from it to the motion code. It is one
matrix, computed in float64 and applied in float32.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.encoders.base import Encoding
from leokit.encoders.lia_encoder import LIAEncoder
from leokit.nn import EqualConv2d
from leokit.utils import check_shape
from leokit.utils.triton import HAS_TRITON

MIN_CAPABILITY = 8, 0  # of devices whose matrix products take bfloat16


def can_fuse(encoder: nn.Module, device: torch.device) -> bool:
    """Whether :class:`FusedEncoder` takes the place of an encoder on a device."""
    return (HAS_TRITON and device.type == 'cuda' and type(encoder) is LIAEncoder
            and torch.cuda.get_device_capability(device) >= MIN_CAPABILITY)


class FusedEncoder:
    """Codes of images, with the weights of an encoder as they are now.

    Args:
        encoder (LIAEncoder): The encoder.
        dtype (torch.dtype): Of feature maps and convolutions.
    """

    @torch.no_grad()
    def __init__(self, encoder: LIAEncoder, dtype: torch.dtype) -> None:
        self._size, self._dtype = encoder.size, dtype
        self._from_rgb = _scaled(encoder.from_rgb)[:, :, 0, 0].t().contiguous(), _bias(encoder.activation)
        self._blocks = []
        for block in encoder.blocks:
            first, second = (_scaled(conv).to(dtype, memory_format=torch.channels_last)
                             for conv in (block.conv1, block.conv2))
            shortcut = (_scaled(block.skip)[:, :, 0, 0] / math.sqrt(2)).t().to(dtype).contiguous()
            self._blocks.append((first, _bias(block.activation1), second, _bias(block.activation2), shortcut))
        # the map of 4x4 in the order of its memory, (4, 4, C), to appearance and motion
        appearance = encoder.to_appearance.weight.detach().double() * encoder.to_appearance.scale
        appearance = appearance.permute(2, 3, 1, 0).flatten(0, 2)  # (16 C, D)
        self._appearance_dim = width = appearance.shape[1]
        head = torch.eye(width, dtype=torch.float64, device=appearance.device)
        bias = head.new_zeros(width)
        for layer in encoder.motion_head:
            weight = layer.weight.detach().double().t() * layer.scale
            head, bias = head @ weight, bias @ weight + layer.bias.double()
        self._summary = torch.cat([appearance, appearance @ head], dim=1).float()
        self._summary_bias = torch.cat([bias.new_zeros(width), bias]).float()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Encoding:
        """Encode images (B, 3, size, size) in [-1, 1] or uint8.

        Returns:
            Encoding: Appearance (B, D) and motion (B, N), float32; features of resolutions 8 to size, channels last,
            in the type of the arithmetic.
        """
        with torch.autocast(images.device.type, enabled=False):
            maps = [self._first(images)]
            for weights in self._blocks:
                maps.append(_apply_block(maps[-1], *weights))
            summary = self._summarize(maps.pop(), 0)
        width = self._appearance_dim
        return Encoding(summary[:, :width], summary[:, width:], tuple(reversed(maps)))

    @torch.no_grad()
    def codes(self, images: Tensor) -> Tensor:
        """Motion codes (B, N), float32, of images as above; a map is kept no longer than the next block reads it."""
        with torch.autocast(images.device.type, enabled=False):
            x = self._first(images)
            for weights in self._blocks:
                x = _apply_block(x, *weights)
            return self._summarize(x, self._appearance_dim)

    def _first(self, images: Tensor) -> Tensor:
        from leokit.encoders.encoder_kernels import from_rgb
        check_shape('images', images, (None, 3, self._size, self._size))
        return from_rgb(images, *self._from_rgb, self._dtype)

    def _summarize(self, x: Tensor, first: int) -> Tensor:
        """Columns from ``first`` on of appearance and motion, of the map (B, C, 4, 4)."""
        values = x.permute(0, 2, 3, 1).flatten(1).float()
        return torch.addmm(self._summary_bias[first:], values, self._summary[:, first:])


def _apply_block(x: Tensor, first: Tensor, first_bias: Tensor, second: Tensor, second_bias: Tensor,
                 shortcut: Tensor) -> Tensor:
    from leokit.encoders.encoder_kernels import activate_blur, blur_halve, join
    inner = F.conv2d(x, first, padding=1)
    inner = F.conv2d(activate_blur(inner, first_bias), second, stride=2)
    return join(inner, second_bias, blur_halve(x), shortcut)


def _scaled(conv: EqualConv2d) -> Tensor:
    return conv.weight.detach().float() * conv.scale


def _bias(activation: nn.Module) -> Tensor:
    return activation.bias.detach().float().clone()
