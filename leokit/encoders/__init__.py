"""Encoders: map an image to an appearance vector, a motion code and a feature pyramid."""

from leokit.encoders.base import Encoding
from leokit.encoders.lia_encoder import LIAEncoder
from leokit.encoders.liax_encoder import LIAXEncoder

__all__ = ['Encoding', 'LIAEncoder', 'LIAXEncoder']
