"""The flow generator of LIA for inference on a CUDA device: two convolutions and two kernels per level.

What the latent does not change is computed once: scaled weights in the type of the arithmetic, the energies of the
demodulation, and the colors of the sources (:class:`~leokit.flow_generators.lia_flow_generator.SynthesisLevel` warps
colors instead of features). Modulations and demodulations of all layers are two matrix products. Everything between
two convolutions is one kernel (:mod:`leokit.flow_generators.decoder_kernels`), which reads and writes a feature map
once; only the convolutions round to the type of the arithmetic.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.flow_generators.lia_flow_generator import LIAFlowGenerator
from leokit.nn.grid import grid_ends
from leokit.nn.modulated import DEMODULATION_EPS, ModulatedConv2d
from leokit.utils.triton import HAS_TRITON
from leokit.warp_operators import BilinearWarp


def can_fuse(generator: nn.Module, features: tuple[Tensor, ...]) -> bool:
    """Whether :class:`FusedDecoder` takes the place of a generator for these features."""
    if not HAS_TRITON or type(generator) is not LIAFlowGenerator or not all(x.is_cuda for x in features):
        return False
    warp = generator.levels[0].warp
    return type(warp) is BilinearWarp and warp.kernel != 'torch' and len(features) == len(generator.levels)


class FusedDecoder:
    """Frames of encoded sources from latents, with the weights of a generator as they are now.

    Args:
        generator (LIAFlowGenerator): With :class:`~leokit.warp_operators.BilinearWarp`.
        features (tuple[Tensor, ...]): Feature maps of S sources, of resolutions 8 to size, shape (S, C, s, s).
        dtype (torch.dtype): Of feature maps and convolutions.
    """

    @torch.no_grad()
    def __init__(self, generator: LIAFlowGenerator, features: tuple[Tensor, ...], dtype: torch.dtype) -> None:
        levels = generator.levels
        styled = [generator.first, *(layer for level in levels for layer in (level.up, level.conv))]
        convs, to_flow = [layer.conv for layer in styled], [level.to_flow for level in levels]
        self._dtype = dtype
        self._constant = generator.constant.detach().float().clone()
        self._weights = [_prepared(conv).to(dtype, memory_format=torch.channels_last) for conv in convs]
        self._biases = [layer.activation.bias.detach().float().clone() for layer in styled]
        # modulation of all layers, each padded to the same width C, in the order of the layers, then of to-flow
        modulations = [layer.modulation for layer in (*convs, *(layer.conv for layer in to_flow))]
        self._width = width = max(len(layer.bias) for layer in modulations)
        self._modulation = torch.cat([
            _padded(layer.weight * layer.scale, width, layer.weight.shape[1]) for layer in modulations]).t()
        self._modulation_bias = torch.cat([F.pad(layer.bias, (0, width - len(layer.bias))) for layer in modulations])
        self._energies = torch.stack([  # (layers, C_in, C_out)
            _padded((conv.weight.float() * conv.scale).square().sum((2, 3)).t(), width, width) for conv in convs])
        self._flow_weights = [(layer.conv.weight[:, :, 0, 0] * layer.conv.scale).float().contiguous()
                              for layer in to_flow]
        self._flow_biases = [layer.bias.detach().float().clone() for layer in to_flow]
        self._features = [x.to(dtype).contiguous(memory_format=torch.channels_last) for x in features]
        heads = [level.to_rgb for level in levels]
        self._colors = [F.conv2d(x.float(), head.conv.weight.float() * head.conv.scale).contiguous()
                        for x, head in zip(features, heads)]
        self._color_biases = [head.activation.bias.detach().float().clone() for head in heads]
        self._image_biases = [head.bias.detach().float().clone() for head in heads]
        self._paint_weights = [None if paint is None else (paint.weight[:, :, 0, 0] * paint.scale).float().contiguous()
                               for paint in (level.inpaint_rgb for level in levels)]
        self._grid = levels[0].warp.grid

    @torch.no_grad()
    def __call__(self, latent: Tensor) -> Tensor:
        """Frames (B, 3, size, size), float32, of latents (B, D).

        S divides B; the latents k·B/S to (k+1)·B/S - 1 belong to source k.
        """
        if latent.shape[0] % self._features[0].shape[0]:
            raise ValueError(f'{latent.shape[0]} latents cannot be divided among {self._features[0].shape[0]} sources')
        with torch.autocast(latent.device.type, enabled=False):
            return self._decode(latent.float())

    def _decode(self, latent: Tensor) -> Tensor:
        from leokit.flow_generators.decoder_kernels import activate, blur_activate, synthesize
        layers = len(self._energies)
        styles = torch.addmm(self._modulation_bias, latent, self._modulation).view(len(latent), -1, self._width)
        squares = styles[:, :layers].square().transpose(0, 1)  # (layers, B, C)
        factors = torch.bmm(squares, self._energies).add_(DEMODULATION_EPS).rsqrt_()
        x = (self._constant * styles[:, 0, :self._constant.shape[1], None, None]).to(
            self._dtype, memory_format=torch.channels_last)
        x = F.conv2d(x, self._weights[0], padding=1)
        x = activate(x, factors[0], self._biases[0], styles[:, 1])
        raw = image = None
        for i, feature in enumerate(self._features):
            up, conv, size = 2 * i + 1, 2 * i + 2, feature.shape[-1]
            x = F.conv_transpose2d(x, self._weights[up], stride=2)
            x = blur_activate(x, factors[up], self._biases[up], styles[:, conv])
            x = F.conv2d(x, self._weights[conv], padding=1)
            is_last = i + 1 == len(self._features)
            raw, image, x = synthesize(
                x, factors[conv], self._biases[conv], styles[:, layers + i], self._flow_weights[i],
                self._flow_biases[i], raw, feature, self._colors[i], self._color_biases[i], self._image_biases[i],
                image, self._paint_weights[i], None if is_last else styles[:, conv + 1],
                end=grid_ends(size, size, self._grid)[0], align_corners=self._grid == 'corners')
        return image


def _prepared(conv: ModulatedConv2d) -> Tensor:
    weight = conv.weight.detach() * conv.scale
    return weight.transpose(0, 1) if conv.upsample else weight


def _padded(matrix: Tensor, rows: int, columns: int) -> Tensor:
    return F.pad(matrix, (0, columns - matrix.shape[1], 0, rows - matrix.shape[0]))
