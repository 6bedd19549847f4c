"""Control encoders: map a control sequence, such as head poses or features of sound, to features of each frame."""

from leokit.control_encoders.control_encoder import ControlEncoder
from leokit.control_encoders.conv_control_encoder import ConvControlEncoder
from leokit.control_encoders.mlp_control_encoder import MLPControlEncoder

__all__ = ['ControlEncoder', 'ConvControlEncoder', 'MLPControlEncoder']
