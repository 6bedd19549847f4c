"""The entry of a control sequence into a backbone: one vector per frame."""

from torch import Tensor, nn

from leokit.nn.masking import zero_padding
from leokit.utils import check_shape


class ControlInput(nn.Module):
    """Adds a linear map of the control to the features of each frame; zero at initialization.

    Args:
        control_dim (int): Width of the control; 0 for none.
        dim (int): Width of the features.
    """

    def __init__(self, control_dim: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(control_dim, dim) if control_dim else None
        if self.linear is not None:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor, control: Tensor | None, mask: Tensor | None = None) -> Tensor:
        """Add control (B, T, control_dim) to features (B, T, dim), except in frames outside the mask (B, T, 1)."""
        if (control is None) != (self.linear is None):
            raise ValueError('control must be given if and only if the network was built with control_dim > 0')
        if control is None:
            return h
        check_shape('control', control, (*h.shape[:2], self.linear.in_features))
        return h + self.linear(zero_padding(control, mask))
