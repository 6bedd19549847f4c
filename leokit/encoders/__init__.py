"""Encoders: map an image to an appearance vector, a motion code and a feature pyramid."""

from leokit.encoders.base import Encoding
from leokit.encoders.lia_encoder import LIAEncoder

__all__ = ['Encoding', 'LIAEncoder']
