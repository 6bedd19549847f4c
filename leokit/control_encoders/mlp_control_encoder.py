"""Frame by frame, for controls whose value belongs to its frame, such as a head pose."""

from torch import Tensor, nn

from leokit.control_encoders.control_encoder import ControlEncoder
from leokit.registry import CONTROL_ENCODERS


@CONTROL_ENCODERS.register_module()
class MLPControlEncoder(ControlEncoder):
    """Two linear layers on the channels of each frame.

    Args:
        control_dim (int): Channels C of the control.
        dim (int): Width of the features.
        hidden_dim (int): Width of the hidden layer.
    """

    def __init__(self, control_dim: int, dim: int = 64, *, hidden_dim: int = 128) -> None:
        super().__init__(control_dim, dim)
        self.layers = nn.Sequential(nn.Linear(control_dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, dim))

    def encode(self, control: Tensor, mask: Tensor | None) -> Tensor:
        return self.layers(control)
