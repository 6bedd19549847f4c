"""What the attention layers of the backbones share."""

from torch import Tensor


def split_heads(qkv: Tensor, head_dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, each (B, heads, T, head_dim), from one projection (B, T, 3 C)."""
    return qkv.unflatten(-1, (3, -1, head_dim)).permute(2, 0, 3, 1, 4).unbind(0)
