"""Layers that several packages share; nothing here depends on them."""

from leokit.nn.channels import channels_by_resolution, check_size
from leokit.nn.control_input import ControlInput
from leokit.nn.equalized import BiasActivation, EqualConv2d, EqualLinear, scaled_leaky_relu
from leokit.nn.grid import identity_grid
from leokit.nn.identity_init import check_initialization, init_from_rgb_identity, init_to_rgb_identity
from leokit.nn.masking import masked_var_mean, zero_padding
from leokit.nn.modulated import ModulatedConv2d, StyledConv, modulated_conv2d_reference
from leokit.nn.resample import blur, fir_kernel, upfirdn2d_reference, upsample2x
from leokit.nn.residual import ResidualDownBlock
from leokit.nn.time_embedding import TimeEmbedding, sinusoidal_embedding

__all__ = [
    'BiasActivation', 'ControlInput', 'EqualConv2d', 'EqualLinear', 'ModulatedConv2d', 'ResidualDownBlock',
    'StyledConv', 'TimeEmbedding', 'blur', 'channels_by_resolution', 'check_initialization', 'check_size', 'fir_kernel',
    'identity_grid', 'init_from_rgb_identity', 'init_to_rgb_identity', 'masked_var_mean', 'modulated_conv2d_reference',
    'scaled_leaky_relu', 'sinusoidal_embedding', 'upfirdn2d_reference', 'upsample2x', 'zero_padding',
]
