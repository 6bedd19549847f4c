"""Encoders: image to appearance vector, motion code, feature pyramid."""

from leokit.encoders.base import Encoding
from leokit.encoders.lia_encoder import LIAEncoder

__all__ = ['Encoding', 'LIAEncoder']
