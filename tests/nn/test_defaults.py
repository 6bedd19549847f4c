"""Default values, as documented."""

from support.signatures import defaults

from leokit.nn.channels import channels_by_resolution
from leokit.nn.equalized import EqualConv2d, EqualLinear
from leokit.nn.fused_filter import fused_filter
from leokit.nn.modulated import ModulatedConv2d, StyledConv
from leokit.nn.resample import blur, fir_kernel, upfirdn2d_reference
from leokit.nn.time_embedding import TimeEmbedding, sinusoidal_embedding


def test_layers():
    assert defaults(channels_by_resolution) == dict(channel_multiplier=1, max_channels=512, first_scaled=64)
    assert defaults(EqualConv2d) == dict(stride=1, padding=0, bias=False)
    assert defaults(EqualLinear) == dict(bias_init=0.0)
    assert defaults(ModulatedConv2d) == dict(demodulate=True, upsample=False)
    assert defaults(StyledConv) == dict(upsample=False)


def test_filters_only_filter():
    """Without further arguments, nothing is resampled, padded or scaled."""
    assert defaults(fir_kernel) == dict(gain=1.0)
    assert defaults(blur) == dict(stride=1, gain=1.0)
    assert defaults(upfirdn2d_reference) == dict(up=1, down=1, pad=(0, 0), gain=1.0)
    assert defaults(fused_filter) == dict(up=1, down=1, pad=0, gain=1.0)


def test_time_embedding():
    """The longest wavelength is that of "Attention Is All You Need"."""
    assert defaults(sinusoidal_embedding) == dict(max_period=10_000.0)
    assert defaults(TimeEmbedding) == dict(cond_dim=0, num_frequencies=128)
