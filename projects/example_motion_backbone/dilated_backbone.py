"""A denoiser of dilated convolutions over time: an example of a component outside the package.

A residual stack as in WaveNet (arXiv 1609.03499, section 2.4), but not causal. The dilation doubles from block to
block, so that a few blocks have the whole sequence in their receptive field.
"""

import torch
from einops import rearrange
from torch import Tensor, nn

from leokit.nn import TimeEmbedding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import check_shape


@DIFFUSION_BACKBONES.register_module()
class DilatedBackbone(nn.Module):
    """Dilated convolutions with gates; its output is zero at initialization.

    Args:
        motion_dim (int): Motion dimension N; the model passes it down.
        dim (int): Width of the blocks.
        depth (int): Number of blocks; block k has dilation ``2 ** (k % cycle)``.
        cycle (int): Number of blocks after which the dilation is 1 again.
    """

    def __init__(self, motion_dim: int = 20, dim: int = 256, *, depth: int = 8, cycle: int = 4) -> None:
        super().__init__()
        self.motion_dim = motion_dim
        self.embed = TimeEmbedding(dim)
        self.stem = nn.Conv1d(motion_dim, dim, 1)
        self.blocks = nn.ModuleList(GatedBlock(dim, dilation=2 ** (k % cycle)) for k in range(depth))
        self.out = nn.Conv1d(dim, motion_dim, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Not supported by this backbone; must be None.

        Returns:
            Tensor: Prediction, shape (B, T, N).
        """
        check_shape('x', x, (None, None, self.motion_dim))
        embedding = self.embed(t, cond)  # (B, dim); raises for a condition
        h = self.stem(rearrange(x, 'b t n -> b n t'))  # (B, dim, T)
        skip = torch.zeros_like(h)
        for block in self.blocks:
            h, out = block(h, embedding)
            skip = skip + out
        return rearrange(self.out(nn.functional.silu(skip)), 'b n t -> b t n')


class GatedBlock(nn.Module):
    """Dilated convolution and gated activation, with two outputs: residual and skip.

    Args:
        dim (int): Width.
        dilation (int): Distance of the three taps in frames.
    """

    def __init__(self, dim: int, *, dilation: int) -> None:
        super().__init__()
        self.time = nn.Linear(dim, dim)
        self.conv = nn.Conv1d(dim, 2 * dim, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(dim, 2 * dim, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, dim, T) and the time embedding (B, dim) to the next input and the skip, each (B, dim, T)."""
        filtered, gate = self.conv(x + self.time(embedding)[..., None]).chunk(2, dim=1)
        residual, skip = self.mix(filtered.tanh() * gate.sigmoid()).chunk(2, dim=1)
        return (x + residual) * 0.5 ** 0.5, skip
