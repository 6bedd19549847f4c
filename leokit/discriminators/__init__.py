"""Discriminators: image to realness logit."""

from leokit.discriminators.stylegan2 import StyleGAN2Discriminator

__all__ = ['StyleGAN2Discriminator']
