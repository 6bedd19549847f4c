"""Log-mel features of the sound of a video, one row per frame.

Triangular filters on the mel scale ``2595 log10(1 + f / 700)``, evenly spaced and of height 1, over the power spectrum
of a Hann window around the time of the frame.
"""

from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from leokit.utils import UserError
from leokit.video.readers.container import open_container
from leokit.video.sound import start_time

RATE = 16_000  # samples per second
WINDOW = 1024  # samples, 64 ms
BANDS = 40
LOWEST, HIGHEST = 60.0, 7600.0  # Hz
FLOOR = 1e-6  # of the power, -60 dB


def log_mel(samples: Tensor, fps: float, num_frames: int) -> Tensor:
    """Features of each frame.

    Args:
        samples (Tensor): Sound in [-1, 1] at :data:`RATE`, shape (L,); sample 0 belongs to the start of frame 0.
        fps (float): Frames per second.
        num_frames (int): Frames T; past its end, the sound is silent.

    Returns:
        Tensor: Natural logarithm of the power in each band, at least that of :data:`FLOOR`, shape (T, BANDS).
    """
    centers = ((torch.arange(num_frames) + 0.5) * RATE / fps).round().long()  # the middle of the frame
    padded = torch.cat([samples.new_zeros(WINDOW // 2), samples.float(), samples.new_zeros(WINDOW)])
    padded = torch.nn.functional.pad(padded, (0, max(0, int(centers[-1]) + WINDOW - len(padded))))
    pieces = padded[centers[:, None] + torch.arange(WINDOW)]  # (T, WINDOW), centered on the frame
    window = torch.hann_window(WINDOW)
    power = torch.fft.rfft(pieces * window).abs().square() / window.square().sum()  # (T, WINDOW / 2 + 1)
    return (power @ mel_filters().T + FLOOR).log()


def mel_filters() -> Tensor:
    """Weight of each frequency of the spectrum in each band, shape (BANDS, WINDOW / 2 + 1)."""
    mel = torch.linspace(*(2595 * np.log10(1 + f / 700) for f in (LOWEST, HIGHEST)), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)  # Hz
    frequencies = torch.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return torch.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle)).clamp(min=0)


def read_sound(path: str | Path) -> Tensor:
    """The sound of a video, mono at :data:`RATE`, from its first frame on, shape (L,)."""
    path = Path(path)
    try:
        with open_container(path) as container:
            if not container.streams.audio:
                raise UserError(f'{path} has no sound; add one, to SyntheticFaces by '
                                'projects.audio_control.sound_track')
            stream = container.streams.audio[0]
            start = float(start_time(path, stream))
            resampler = av.AudioResampler(format='fltp', layout='mono', rate=RATE)
            blocks, first = [], None
            for frame in container.decode(stream):
                first = float(frame.pts * frame.time_base) if first is None else first
                blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
            blocks += [block.to_ndarray()[0] for block in resampler.resample(None)]
    except av.FFmpegError as error:
        raise UserError(f'the sound of {path} cannot be read ({error})') from error
    samples = torch.from_numpy(np.concatenate(blocks or [np.zeros(0, np.float32)]))
    shift = round(((first or 0.0) - start) * RATE)  # of the sound after the picture
    return samples[-shift:] if shift < 0 else torch.cat([samples.new_zeros(shift), samples])
