"""Diffusion backbones: map a noisy sample, its time and a condition to a prediction of the shape of the sample."""

from leokit.diffusion_backbones.mlp_denoiser import MLPDenoiser
from leokit.diffusion_backbones.motion_transformer import MotionTransformer
from leokit.diffusion_backbones.temporal_conv_net import TemporalConvNet
from leokit.diffusion_backbones.unet_1d import UNet1D
from leokit.diffusion_backbones.unet_2d import UNet2D

__all__ = ['MLPDenoiser', 'MotionTransformer', 'TemporalConvNet', 'UNet1D', 'UNet2D']
