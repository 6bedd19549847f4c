"""A residual MLP over single motion codes: the denoiser of the starting-code model p(alpha_1) (LEO, section 3.2)."""

import torch.nn.functional as F
from torch import Tensor, nn

from leokit.nn import TimeEmbedding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import check_shape
from leokit.utils.batch_random import BatchDropout


@DIFFUSION_BACKBONES.register_module()
class MLPDenoiser(nn.Module):
    """Residual MLP; its output is zero at initialization. The defaults have about 6 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        dim (int): Width of the hidden layers.
        depth (int): Residual blocks.
        embedding_dim (int): Width of the time embedding.
        cond_dim (int): Width of the condition vector; 0 for none.
        dropout (float): Dropout in the blocks.
    """

    def __init__(self, motion_dim: int = 20, dim: int = 768, *, depth: int = 4, embedding_dim: int = 256,
                 cond_dim: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.motion_dim = motion_dim
        self.dim = dim
        self.embed = TimeEmbedding(embedding_dim, cond_dim)
        self.modulation = nn.Linear(embedding_dim, 2 * dim * depth)  # of all blocks in one matrix product
        self.stem = nn.Linear(motion_dim, dim)
        self.blocks = nn.ModuleList(MLPBlock(dim, dropout=dropout) for _ in range(depth))
        self.out_norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, motion_dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Predict from noisy codes.

        Args:
            x (Tensor): Noisy codes, shape (B, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).

        Returns:
            Tensor: Prediction, shape (B, N).
        """
        check_shape('x', x, (None, self.motion_dim))
        modulations = self.modulation(F.silu(self.embed(t, cond))).split(2 * self.dim, dim=1)
        h = self.stem(x)
        for block, modulation in zip(self.blocks, modulations):
            h = block(h, modulation)
        return self.out(F.silu(self.out_norm(h)))


class MLPBlock(nn.Module):
    """Norm with scale and shift by the time, SiLU, linear, SiLU, linear, plus the input.

    Args:
        dim (int): Width.
        dropout (float): Dropout before the second linear layer.
    """

    def __init__(self, dim: int, *, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, dim)
        self.dropout = BatchDropout(dropout)
        self.linear2 = nn.Linear(dim, dim)
        nn.init.zeros_(self.linear2.weight)
        nn.init.zeros_(self.linear2.bias)

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """Map x (B, dim) and modulation (B, 2 dim) to (B, dim)."""
        scale, shift = modulation.chunk(2, dim=1)
        h = F.silu(self.norm(x) * (1 + scale) + shift)
        return x + self.linear2(self.dropout(F.silu(self.linear1(h))))
