"""A transformer over motion codes, one token per frame.

Blocks as in DiT (arXiv 2212.09748), with one modulation for all blocks plus a learned table per block (PixArt-alpha,
arXiv 2310.00426, section 2.3), and rotary position embeddings (arXiv 2104.09864), which allow any sequence length.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from leokit.nn import ControlInput, TimeEmbedding, sinusoidal_embedding, zero_padding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError, check_shape
from leokit.utils.batch_random import BatchDropout


@DIFFUSION_BACKBONES.register_module()
class MotionTransformer(nn.Module):
    """Transformer denoiser; its output is zero at initialization. The defaults have about 15 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        dim (int): Width of a token.
        depth (int): Number of blocks.
        head_dim (int): Width of an attention head; even, divides ``dim``.
        mlp_ratio (int): Hidden width of the feed-forward layers divided by ``dim``.
        cond_dim (int): Width of the condition vector; 0 for none.
        dropout (float): Dropout after attention and feed-forward.
        control_dim (int): Width of the control of each frame; 0 for none.
    """

    autocast_layers = (nn.Linear, )  # see AutocastCopy

    def __init__(self, motion_dim: int = 20, dim: int = 384, *, depth: int = 8, head_dim: int = 64, mlp_ratio: int = 4,
                 cond_dim: int = 0, dropout: float = 0.0, control_dim: int = 0) -> None:
        super().__init__()
        if dim % head_dim or head_dim % 2:
            raise UserError(f'MotionTransformer: head_dim={head_dim} must be even and divide dim={dim}')
        self.motion_dim = motion_dim
        self.head_dim = head_dim
        self.embed = TimeEmbedding(dim, cond_dim)
        self.modulation = nn.Linear(dim, 6 * dim)
        self.stem = nn.Linear(motion_dim, dim)
        self.control = ControlInput(control_dim, dim)
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, head_dim=head_dim, mlp_ratio=mlp_ratio, dropout=dropout) for _ in range(depth))
        self.out_norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, motion_dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, mask: Tensor | None = None,
                control: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence of any length, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            mask (Tensor, optional): True in frames that count, bool, shape (B, T); at least one of each sequence.
            control (Tensor, optional): Control of each frame, shape (B, T, control_dim).

        Returns:
            Tensor: Prediction, shape (B, T, N).
        """
        check_shape('x', x, (None, None, self.motion_dim))
        modulation = self.modulation(F.silu(self.embed(t, cond)))[:, None]  # (B, 1, 6 dim)
        rotation = sinusoidal_embedding(torch.arange(x.shape[1], device=x.device), self.head_dim)  # (T, head_dim)
        if mask is not None:
            check_shape('mask', mask, tuple(x.shape[:2]))
            mask = mask[..., None]  # (B, T, 1)
        h = self.control(self.stem(zero_padding(x, mask)), control, mask)  # an attention of 0 would not hide a NaN
        keys = None if mask is None else rearrange(mask, 'b t 1 -> b 1 1 t')
        for block in self.blocks:
            h = block(h, modulation, rotation, keys)
        return self.out(self.out_norm(h))


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each with scale, shift and gate from the time embedding.

    Args:
        dim (int): Width of a token.
        head_dim (int): Width of an attention head.
        mlp_ratio (int): Hidden width of the feed-forward layers divided by ``dim``.
        dropout (float): Dropout after attention and feed-forward.
    """

    def __init__(self, dim: int, *, head_dim: int, mlp_ratio: int, dropout: float) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.table = nn.Parameter(torch.randn(6 * dim) / dim ** 0.5)  # initialized as PixArt-alpha's
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_ratio * dim), nn.GELU(approximate='tanh'),
                                 nn.Linear(mlp_ratio * dim, dim))
        self.dropout = BatchDropout(dropout)

    def forward(self, x: Tensor, modulation: Tensor, rotation: Tensor, keys: Tensor | None = None) -> Tensor:
        """Map x (B, T, dim), modulation (B, 1, 6 dim), rotation (T, head_dim) and keys (B, 1, 1, T) to (B, T, dim)."""
        scale1, shift1, gate1, scale2, shift2, gate2 = (modulation + self.table).chunk(6, dim=-1)

        # attention
        h = self.norm1(x) * (1 + scale1) + shift1
        qkv = self.qkv(h.to(x.dtype))
        q, k, v = rearrange(qkv, 'b t (qkv heads d) -> qkv b heads t d', qkv=3, d=self.head_dim)
        h = F.scaled_dot_product_attention(rotate(q, rotation), rotate(k, rotation), v, attn_mask=keys)
        x = x + gate1 * self.dropout(self.attention_out(rearrange(h, 'b heads t d -> b t (heads d)')))

        # feed-forward
        h = self.norm2(x) * (1 + scale2) + shift2
        return x + gate2 * self.dropout(self.mlp(h.to(x.dtype)))


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate each pair of features by the angles of its frame (arXiv 2104.09864, equation 34).

    Args:
        x (Tensor): Queries or keys, shape (B, heads, T, head_dim).
        rotation (Tensor): Cosines, then sines, shape (T, head_dim).

    Returns:
        Tensor: Like ``x``; inner products of rotated queries and keys depend on the distance of their frames only.
    """
    cos, sin = rotation.chunk(2, dim=1)
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(x.dtype)
