"""Sound that a file format cannot hold as it is, encoded as AAC."""

from fractions import Fraction
from typing import Any

import av
import numpy as np

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
DEFAULT_RATE = 48000


class SoundEncoder:
    """Decodes a sound track and encodes it into a container, trimmed to the sample.

    Args:
        stream (av.audio.AudioStream): The track.
        container (av.container.OutputContainer): A container to which nothing has been written yet.
    """

    def __init__(self, stream: Any, container: Any) -> None:
        context = stream.codec_context
        self._stream = stream
        self._container = container
        self._rate = context.sample_rate if context.sample_rate in AAC_RATES else DEFAULT_RATE
        layout = 'mono' if context.layout.nb_channels == 1 else 'stereo'
        self._resampler = av.AudioResampler(format='fltp', layout=layout, rate=self._rate)
        self._output = container.add_stream('aac', rate=self._rate, layout=layout)
        self._layout = layout
        self._frames: Any = None
        self._waiting = np.zeros((1 if layout == 'mono' else 2, 0), np.float32)  # samples that are not encoded yet
        self._encoded = 0  # samples
        self._first: int | None = None  # number of samples before the first one; negative if it must be cut

    def write_until(self, source: Any, start: Fraction, seconds: Fraction) -> None:
        """Encode the samples before a time, of which the picture of ``source`` begins at ``start`` seconds."""
        if self._frames is None:
            self._frames = self._decode(source, start)
        end = round(seconds * self._rate)
        while self._encoded + self._waiting.shape[1] < end:
            samples = next(self._frames, None)
            if samples is None:
                break
            self._waiting = np.concatenate((self._waiting, samples), axis=1)
        self._encode(self._waiting[:, :max(0, end - self._encoded)])

    def finish(self) -> None:
        """Flush the encoder."""
        self._container.mux(self._output.encode(None))

    def _decode(self, source: Any, start: Fraction) -> Any:
        """Samples (channels, n) from the start of the picture on."""
        for frame in source.decode(self._stream):
            if self._first is None:
                time = Fraction(frame.pts or 0) * frame.time_base - start
                self._first = round(time * self._rate)
                if self._first > 0:
                    yield np.zeros((len(self._waiting), self._first), np.float32)
            for resampled in self._resampler.resample(frame):
                yield self._without_start(resampled.to_ndarray())
        for resampled in self._resampler.resample(None):
            yield self._without_start(resampled.to_ndarray())

    def _without_start(self, samples: np.ndarray) -> np.ndarray:
        cut = min(max(0, -self._first), samples.shape[1])
        if cut:
            self._first += cut
        return samples[:, cut:]

    def _encode(self, samples: np.ndarray) -> None:
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format='fltp', layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._encoded, Fraction(1, self._rate)
        self._container.mux(self._output.encode(frame))
        self._encoded += samples.shape[1]
        self._waiting = self._waiting[:, samples.shape[1]:]
