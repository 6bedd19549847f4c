"""Channel counts by feature resolution, shared by encoder, flow generator and discriminator."""

BASE_CHANNELS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
SMALLEST_RESOLUTION = 4
FIRST_SCALED_RESOLUTION = 64  # the multiplier applies from this resolution on, as in StyleGAN2
MIN_SIZE, MAX_SIZE = 32, 1024
MAX_MULTIPLIER = 64
MIN_CHANNELS = 3  # the identity initialization passes the RGB channels of the source through


def check_size(size: int) -> int:
    """Return ``size``, or raise ValueError if it is not a power of two from 32 to 1024."""
    if size not in BASE_CHANNELS or size < MIN_SIZE:
        raise ValueError(f'size must be a power of two from {MIN_SIZE} to {MAX_SIZE}, got {size}')
    return size


def channels_by_resolution(size: int, channel_multiplier: float = 1, max_channels: int = 512, *,
                           first_scaled: int = FIRST_SCALED_RESOLUTION) -> dict[int, int]:
    """Channels of the feature maps of every resolution from 4 to ``size`` (LIA, StyleGAN2).

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        channel_multiplier (float): Factor for resolutions of 64 and above (2 in StyleGAN2's large models).
        max_channels (int): Upper limit; 512 in the papers, less for a narrow network.
        first_scaled (int): The first resolution that the factor applies to; 4 in LIA-X.

    Returns:
        dict[int, int]: Channels by resolution, in ascending order.
    """
    check_size(size)
    if not 0 < channel_multiplier <= MAX_MULTIPLIER:  # NaN fails too
        raise ValueError(f'channel_multiplier must be above 0 and at most {MAX_MULTIPLIER}, got {channel_multiplier}')
    channels = {}
    for resolution, base in BASE_CHANNELS.items():
        if resolution <= size:
            scaled = base * channel_multiplier if resolution >= first_scaled else base
            channels[resolution] = min(int(scaled), max_channels)
    if min(channels.values()) < MIN_CHANNELS:
        raise ValueError(f'channel_multiplier={channel_multiplier} and max_channels={max_channels} leave '
                         f'{min(channels.values())} channels; at least {MIN_CHANNELS} are needed')
    return channels
