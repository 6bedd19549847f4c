"""Embedding of the diffusion time: sinusoids, then a two-layer network.

The sinusoids are those of "Attention Is All You Need" (arXiv 1706.03762, section 3.5), which DDPM uses for the time
(arXiv 2006.11239, appendix B): half cosines, half sines, geometric frequencies.
"""

import math

import torch
from torch import Tensor, nn

from leokit.utils import check_shape

MAX_PERIOD = 10_000.0  # the longest wavelength, in diffusion steps (arXiv 1706.03762)


def sinusoidal_embedding(t: Tensor, dim: int, *, max_period: float = MAX_PERIOD) -> Tensor:
    """Sinusoidal features of a number: ``[cos(t w_k), sin(t w_k)]``, ``w_k = max_period^(-k / (dim/2))``.

    Args:
        t (Tensor): Diffusion times 0 … S-1, or other numbers such as frame indices, shape (B,).
        dim (int): Number of features; even.
        max_period (float): Upper bound of the wavelengths.

    Returns:
        Tensor: Features in [-1, 1], float32 (float64 for a float64 ``t``), shape (B, dim).
    """
    check_shape('t', t, (None,))
    if dim % 2:
        raise ValueError(f'dim must be even, got {dim}')
    dtype = torch.float64 if t.dtype == torch.float64 else torch.float32
    steps = torch.arange(dim // 2, device=t.device, dtype=dtype)
    angles = t.to(dtype)[:, None] * torch.exp(steps * (-2 * math.log(max_period) / dim))  # (B, dim / 2)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class TimeEmbedding(nn.Module):
    """Linear, SiLU, Linear on sinusoids of the diffusion time, plus a linear map of the condition vector, if any.

    The map of the condition is initialized with zeros, so an untrained network ignores its condition.

    Args:
        dim (int): Width of the embedding.
        cond_dim (int): Width of the condition vector; 0 for none.
        num_frequencies (int): Number of sinusoidal features, even.
    """

    def __init__(self, dim: int, cond_dim: int = 0, *, num_frequencies: int = 128) -> None:
        super().__init__()
        self.num_frequencies = num_frequencies
        self.mlp = nn.Sequential(nn.Linear(num_frequencies, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.condition = nn.Linear(cond_dim, dim) if cond_dim else None
        if self.condition is not None:
            nn.init.zeros_(self.condition.weight)
            nn.init.zeros_(self.condition.bias)

    def forward(self, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Embed time and condition.

        Args:
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).

        Returns:
            Tensor: Embedding, shape (B, dim).
        """
        if (cond is None) != (self.condition is None):
            raise ValueError('cond must be given if and only if the network was built with cond_dim > 0')
        features = sinusoidal_embedding(t, self.num_frequencies)
        embedding = self.mlp(features.to(self.mlp[0].weight.dtype))
        if cond is None:
            return embedding
        return embedding + self.condition(cond)
