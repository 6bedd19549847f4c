"""Channel counts by feature side, shared by encoder, flow generator and discriminator."""

import math

BASE_CHANNELS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
FIRST_SCALED_SIDE = 64  # the multiplier acts from this side on, as in StyleGAN2
MIN_SIZE, MAX_SIZE = 32, 1024
MIN_CHANNELS = 3  # the colors of the source, which training starts from, must fit through


def check_size(size: int) -> int:
    """Return ``size`` if it is a power of two from 32 to 1024.

    Raises:
        ValueError: If it is not.
    """
    if size not in BASE_CHANNELS or size < MIN_SIZE:
        raise ValueError(f'size must be a power of two from {MIN_SIZE} to {MAX_SIZE}, got {size}')
    return size


def channels_by_resolution(size: int, channel_multiplier: float = 1, max_channels: int = 512) -> dict[int, int]:
    """Channels of the feature map of every side from 4 to ``size`` (LIA, StyleGAN2).

    Args:
        size (int): Image side, a power of two from 32 to 1024.
        channel_multiplier (float): Factor of the sides 64 and up (2 in StyleGAN2's large models).
        max_channels (int): Upper limit for every side; 512 in the papers, less makes a narrow network.

    Returns:
        dict[int, int]: Channels, keyed by side, smallest side first.

    Raises:
        ValueError: If the size is another, or fewer than three channels are left.
    """
    check_size(size)
    channels = {}
    for side, base in BASE_CHANNELS.items():
        if side <= size:
            scaled = base * channel_multiplier if side >= FIRST_SCALED_SIDE else base
            channels[side] = min(int(scaled), max_channels)
    if min(channels.values()) < MIN_CHANNELS:
        raise ValueError(f'channel_multiplier={channel_multiplier} and max_channels={max_channels} leave '
                         f'{min(channels.values())} channels; {MIN_CHANNELS} are the least')
    return channels


def num_levels(size: int) -> int:
    """Number of sides from 8 to ``size``: the levels at which features are warped."""
    return int(math.log2(check_size(size))) - 2
