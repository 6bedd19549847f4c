"""Inverted bottlenecks of frozen networks (MobileNetV2, arXiv 1801.04381), with batch normalization in the weights.

A frozen batch normalization is a scale and an offset per channel, so it is part of the convolution before it. 1x1
convolutions are matrix products of channels-last activations, which need no copy. A bottleneck is three products and
one depthwise kernel where a network as it is trained has a dozen operators.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from leokit.feature_extractors.depthwise import depthwise_relu6, same_padding


def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch normalization that follows it; an activation is left out."""
    weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps,
                                        norm.weight, norm.bias)
    return weight.detach(), bias.detach()


class FrozenModule(nn.Module):
    """Weights without gradient, in the precision of the computation."""

    def __init__(self, **weights: Tensor) -> None:
        super().__init__()
        for name, weight in weights.items():
            self.register_parameter(name, nn.Parameter(weight.contiguous(), requires_grad=False))
        self._casts: dict[tuple[str, torch.dtype], Tensor] = {}

    def cast(self, name: str, dtype: torch.dtype) -> Tensor:
        """A weight in another type; it is converted once, because nothing trains it."""
        weight = getattr(self, name)
        if weight.dtype == dtype or torch.compiler.is_compiling():
            return weight.to(dtype)
        if (name, dtype) not in self._casts:
            with torch.inference_mode(False):  # otherwise no later call could be differentiated
                self._casts[name, dtype] = weight.detach().to(dtype)
        return self._casts[name, dtype]

    def _apply(self, *args, **kwargs) -> 'FrozenModule':
        self._casts = {}
        return super()._apply(*args, **kwargs)

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        self._casts = {}
        super()._load_from_state_dict(*args, **kwargs)


class FrozenConv(FrozenModule):
    """A 3x3 convolution of stride 2 with ``SAME`` padding, or a 1x1 convolution, without activation.

    Args:
        conv (nn.Conv2d): The convolution.
        norm (nn.BatchNorm2d): The batch normalization after it.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        weight, bias = fold(conv, norm)
        self.is_pointwise = weight.shape[2:] == (1, 1)
        self.stride = conv.stride[0]
        super().__init__(weight=weight.flatten(1) if self.is_pointwise else weight, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, ceil(H / stride), ceil(W / stride))."""
        weight, bias = self.cast('weight', x.dtype), self.cast('bias', x.dtype)
        if self.is_pointwise:
            return F.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1)
        top, left, bottom, right = same_padding(x, weight.shape[-1], self.stride)
        x = F.pad(x, (left, right, top, bottom))
        return F.conv2d(x, weight, bias, stride=self.stride)


class InvertedBottleneck(FrozenModule):
    """Expansion, depthwise convolution, projection; with a shortcut where the shapes agree.

    Input and output are those of linear layers: the activation of the input, if there is no expansion, is the first
    operation.

    Args:
        expand (FrozenConv, optional): 1x1 convolution.
        depthwise (tuple): The depthwise convolution and the batch normalization after it.
        project (FrozenConv): 1x1 convolution.
        has_skip (bool): Add the input to the result.
    """

    def __init__(self, expand: FrozenConv | None, depthwise: tuple[nn.Conv2d, nn.BatchNorm2d], project: FrozenConv, *,
                 has_skip: bool) -> None:
        weight, bias = fold(*depthwise)
        super().__init__(weight=weight.flatten(1).t(), bias=bias)  # (k * k, C), (C,)
        self.expand, self.project = expand, project
        self.stride = depthwise[0].stride[0]
        self.has_skip = has_skip

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, ceil(H / stride), ceil(W / stride))."""
        hidden = x if self.expand is None else self.expand(x)
        hidden = self.project(depthwise_relu6(hidden, self.weight, self.bias, self.stride))
        return hidden + x if self.has_skip else hidden
