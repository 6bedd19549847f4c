"""Diffusion backbones: noisy sample, time and condition to a prediction shaped like the sample."""

from leokit.diffusion_backbones.mlp_denoiser import MLPDenoiser
from leokit.diffusion_backbones.motion_transformer import MotionTransformer
from leokit.diffusion_backbones.unet_1d import UNet1D
from leokit.diffusion_backbones.unet_2d import UNet2D

__all__ = ['MLPDenoiser', 'MotionTransformer', 'UNet1D', 'UNet2D']
