"""The Kinetics-400 Inception-I3D in plain PyTorch.

Carreira & Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset", CVPR 2017. Module names
are those of the public PyTorch state dicts (``rgb_imagenet.pt``, ``i3d_pretrained_400.pt``), which therefore load
unchanged.

Details that change the values:

- Padding is TensorFlow's ``SAME``: computed from the input size, with the smaller half in front. The input of every
  pooling layer is not negative (it follows a ReLU), so padding with -inf in PyTorch's pooling equals padding with
  zeros; it is expressed by ``padding`` and ``ceil_mode``. Convolutions use their own ``padding`` if both halves are
  equal; only the first layer copies its input to pad it.
- The epsilon of batch normalization is an argument: 1e-5 (the PyTorch networks used for FVD) or 1e-3 (the original).
- The embedding is the output of the last 1x1x1 convolution, before the softmax, averaged over time.
"""

from typing import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from leokit.utils import UserError, check_shape

NUM_CLASSES = 400
INPUT_SIZE = 224
MIN_FRAMES = 9  # fewer frames give one time position, and the average pool needs two
AVERAGE_POOL = (2, 7, 7)

# Output channels of the branches 0, 1a, 1b, 2a, 2b, 3b (table 1 of Inception v1, inflated).
MIXED_CHANNELS = {
    'Mixed_3b': (64, 96, 128, 16, 32, 32),
    'Mixed_3c': (128, 128, 192, 32, 96, 64),
    'Mixed_4b': (192, 96, 208, 16, 48, 64),
    'Mixed_4c': (160, 112, 224, 24, 64, 64),
    'Mixed_4d': (128, 128, 256, 24, 64, 64),
    'Mixed_4e': (112, 144, 288, 32, 64, 64),
    'Mixed_4f': (256, 160, 320, 32, 128, 128),
    'Mixed_5b': (256, 160, 320, 32, 128, 128),
    'Mixed_5c': (384, 192, 384, 48, 128, 128),
}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding at the two ends of an axis for TensorFlow's ``SAME``, which has ceil(size / stride) outputs."""
    remainder = size % stride
    total = max(kernel - (remainder if remainder else stride), 0)
    return total // 2, total - total // 2


def max_pool_same(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """``SAME`` max pooling of a map without negative values.

    The padding in front is that of the pooling layer; ``ceil_mode`` adds the window that the padding at the end would
    complete.

    Args:
        x (Tensor): Shape (B, C, T, H, W), not negative.
        kernel (tuple[int, int, int]): Window, at most twice the stride plus one.
        stride (tuple[int, int, int]): Stride.

    Returns:
        Tensor: Shape (B, C, T', H', W'), each size divided by its stride and rounded up.
    """
    front = [same_padding(size, k, s)[0] for size, k, s in zip(x.shape[2:], kernel, stride)]
    return F.max_pool3d(x, kernel, stride, padding=front, ceil_mode=True)


class Unit3D(nn.Module):
    """3D convolution with ``SAME`` padding, optionally batch normalization and ReLU.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        kernel_size (int): Size of the cubic kernel.
        stride (int): Stride on all three axes.
        eps (float, optional): Epsilon of batch normalization; None is a convolution with a bias and nothing else.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 1, stride: int = 1,
                 eps: float | None = None):
        super().__init__()
        self.conv3d = nn.Conv3d(in_channels, out_channels, kernel_size, stride, bias=eps is None)
        self.bn = None if eps is None else nn.BatchNorm3d(out_channels, eps=eps)
        self.rectify = eps is not None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, T, H, W) to (B, C_out, T', H', W')."""
        conv = self.conv3d
        pads = [same_padding(size, k, s) for size, k, s in zip(x.shape[2:], conv.kernel_size, conv.stride)]
        if all(front == behind for front, behind in pads):
            padding = [front for front, _ in pads]
        else:
            (t0, t1), (h0, h1), (w0, w1) = pads
            x = F.pad(x, (w0, w1, h0, h1, t0, t1))
            padding = [0, 0, 0]
        x = F.conv3d(x, conv.weight, conv.bias, conv.stride, padding)
        if self.bn is not None:
            x = self.bn(x)
        return F.relu(x, inplace=not torch.is_grad_enabled()) if self.rectify else x

    def fold_batch_norm(self) -> None:
        """Merge batch normalization into the convolution; irreversible, for evaluation only."""
        if self.bn is None:
            return
        bn = self.bn
        self.conv3d.weight, self.conv3d.bias = fuse_conv_bn_weights(
            self.conv3d.weight, None, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
        self.bn = None


class InceptionModule(nn.Module):
    """The four parallel branches of Inception v1 in 3D.

    Args:
        in_channels (int): Input channels.
        channels (tuple): Output channels of the branches 0, 1a, 1b, 2a, 2b, 3b.
        eps (float): Epsilon of the batch normalizations.
    """

    def __init__(self, in_channels: int, channels: tuple[int, int, int, int, int, int], *, eps: float):
        super().__init__()
        c0, c1a, c1b, c2a, c2b, c3b = channels
        self.b0 = Unit3D(in_channels, c0, eps=eps)
        self.b1a = Unit3D(in_channels, c1a, eps=eps)
        self.b1b = Unit3D(c1a, c1b, kernel_size=3, eps=eps)
        self.b2a = Unit3D(in_channels, c2a, eps=eps)
        self.b2b = Unit3D(c2a, c2b, kernel_size=3, eps=eps)
        self.b3b = Unit3D(in_channels, c3b, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, T, H, W) to (B, c0 + c1b + c2b + c3b, T, H, W)."""
        pooled = max_pool_same(x, (3, 3, 3), (1, 1, 1))
        return torch.cat((self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)), dim=1)


class I3DNetwork(nn.Module):
    """Inception-I3D: maps clips to the 400 Kinetics logits.

    Args:
        eps (float): Epsilon of the batch normalizations.
    """

    def __init__(self, eps: float = 1e-5):
        super().__init__()
        self.logits = Unit3D(1024, NUM_CLASSES)
        self.Conv3d_1a_7x7 = Unit3D(3, 64, kernel_size=7, stride=2, eps=eps)
        self.Conv3d_2b_1x1 = Unit3D(64, 64, eps=eps)
        self.Conv3d_2c_3x3 = Unit3D(64, 192, kernel_size=3, eps=eps)
        channels = 192
        for name, branches in MIXED_CHANNELS.items():
            self.add_module(name, InceptionModule(channels, branches, eps=eps))
            channels = branches[0] + branches[2] + branches[4] + branches[5]

    def endpoints(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Run the convolutional part.

        Args:
            x (Tensor): Clips in [-1, 1], shape (B, 3, T, H, W).

        Yields:
            tuple[str, Tensor]: Name and output of each stage, the last of shape (B, 1024, T / 8, H / 32, W / 32).
        """
        for name, stage in self._stages():
            x = stage(x)
            yield name, x

    def pooled(self, x: Tensor) -> Tensor:
        """Features before the logits.

        Args:
            x (Tensor): Clips in [-1, 1], shape (B, 3, T, 224, 224) with T of at least 9.

        Returns:
            Tensor: Shape (B, 1024, T', 1, 1); T' is 1 up to 16 frames.
        """
        check_shape('I3D input', x, (None, 3, None, INPUT_SIZE, INPUT_SIZE))
        if x.shape[2] < MIN_FRAMES:
            raise UserError(f'I3D needs clips of at least {MIN_FRAMES} frames, got {x.shape[2]}; '
                            'use longer clips or another feature extractor')
        for _, stage in self._stages():
            x = stage(x)
        return F.avg_pool3d(x, AVERAGE_POOL, stride=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map clips (B, 3, T, 224, 224) in [-1, 1] to logits (B, 400), the mean over time positions."""
        return self.logits(self.pooled(x)).mean(dim=2).flatten(1)

    def fold_batch_norm(self) -> None:
        """Merge every batch normalization into its convolution: faster, and equal up to rounding."""
        for module in self.modules():
            if isinstance(module, Unit3D):
                module.fold_batch_norm()

    def _stages(self):
        def pool(kernel, stride):
            return lambda x: max_pool_same(x, kernel, stride)

        yield 'Conv3d_1a_7x7', self.Conv3d_1a_7x7
        yield 'MaxPool3d_2a_3x3', pool((1, 3, 3), (1, 2, 2))
        yield 'Conv3d_2b_1x1', self.Conv3d_2b_1x1
        yield 'Conv3d_2c_3x3', self.Conv3d_2c_3x3
        yield 'MaxPool3d_3a_3x3', pool((1, 3, 3), (1, 2, 2))
        yield 'Mixed_3b', self.Mixed_3b
        yield 'Mixed_3c', self.Mixed_3c
        yield 'MaxPool3d_4a_3x3', pool((3, 3, 3), (2, 2, 2))
        for name in ('Mixed_4b', 'Mixed_4c', 'Mixed_4d', 'Mixed_4e', 'Mixed_4f'):
            yield name, getattr(self, name)
        yield 'MaxPool3d_5a_2x2', pool((2, 2, 2), (2, 2, 2))
        yield 'Mixed_5b', self.Mixed_5b
        yield 'Mixed_5c', self.Mixed_5c
