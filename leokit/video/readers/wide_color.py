"""Colors beyond those of ordinary video: HDR (PQ, HLG) and wide gamuts (BT.2020, P3) to 8-bit sRGB.

FFmpeg's scaler converts them in relative colorimetry: colors that ordinary video can show are exact, others go to the
nearest one. HDR is shown with the reference white of ITU-R BT.2408, 203 cd/m², as white: faces keep their brightness,
and what is brighter than white (lamps, sky) becomes white. A tone curve would darken the whole frame instead.
"""

from fractions import Fraction
from typing import Any

import av
import numpy as np

from leokit.utils import UserError

# Transfer functions and primaries by their numbers in ITU-T H.273.
HDR_TRANSFERS = {16: 'PQ', 18: 'HLG'}
WIDE_PRIMARIES = {9: 'bt2020', 11: 'smpte431', 12: 'smpte432'}
BT2020 = 9
TO_SRGB = dict(out_primaries='bt709', intent='relative_colorimetric', flags='bilinear+accurate_rnd+full_chroma_int')


def needs_color_conversion(frame: Any) -> bool:
    """True for a frame, or a decoder's context, whose values mean other colors than those of ordinary video."""
    return frame.color_trc in HDR_TRANSFERS or getattr(frame, 'color_primaries', None) in WIDE_PRIMARIES


class ColorConverter:
    """Converts the frames of one stream to uint8 RGB with the primaries and the transfer function of sRGB."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple = ()

    def __call__(self, frame: Any) -> np.ndarray:
        """uint8 RGB (H, W, 3) of a frame; the frame gets the primaries that HDR implies if it states none."""
        hdr = frame.color_trc in HDR_TRANSFERS
        if hdr and frame.color_primaries not in WIDE_PRIMARIES:
            frame.color_primaries = BT2020
        kind = (frame.width, frame.height, frame.format.name, hdr)
        try:
            if kind != self._kind:
                self._graph, self._kind = _build_graph(frame, hdr), kind
            self._graph.push(frame)
            return self._graph.pull().to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            self._kind = ()
            name = HDR_TRANSFERS.get(frame.color_trc) or WIDE_PRIMARIES[frame.color_primaries]
            raise UserError(f'has colors ({name}) that the FFmpeg of PyAV {av.__version__} does not convert; install a '
                            'newer PyAV (pip install -U av), or convert the video to BT.709 with 8 bits') from error


def _build_graph(frame: Any, hdr: bool) -> av.filter.Graph:
    # BT.2020 and BT.709 share their transfer function for 8 and 10 bits, and readers take its values as they are
    options = {**TO_SRGB, 'out_transfer': 'iec61966-2-1' if hdr else 'bt709'}
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name,
                              time_base=frame.time_base or Fraction(1, 25))
    scale = graph.add('scale', ':'.join(f'{name}={value}' for name, value in options.items()))
    rgb, sink = graph.add('format', 'pix_fmts=rgb24'), graph.add('buffersink')
    source.link_to(scale)
    scale.link_to(rgb)
    rgb.link_to(sink)
    graph.configure()
    return graph
