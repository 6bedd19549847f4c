"""The part of a decoded frame that is needed, so that no more than that is converted to RGB."""

from fractions import Fraction
from typing import Any

import av

from leokit.video.face_crop import CropBox

MARGIN = 4  # pixels around the part, two chroma samples; linear interpolation of chroma takes one
ALIGNMENT = 32  # pixels, of the left edge: chroma is read from multiples of 16 bytes


class PartCutter:
    """Cuts parts out of the frames of one stream; one thread may call it."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple = ()

    def __call__(self, frame: Any, box: CropBox) -> tuple[Any, CropBox]:
        """A part of a frame in 4:2:0 whose pixels in a box are converted as those of the whole frame are.

        Args:
            frame (av.VideoFrame): Of even width and height, progressive.
            box (CropBox): Inside the frame.

        Returns:
            tuple[av.VideoFrame, CropBox]: The part, in the memory of the frame, and the box in its pixels.
        """
        left, top = max(0, box.left - MARGIN) // ALIGNMENT * ALIGNMENT, max(0, box.top - MARGIN) // 2 * 2
        right, bottom = min(frame.width, box.right + MARGIN + 1), min(frame.height, box.bottom + MARGIN + 1)
        outer = CropBox(left, top, right // 2 * 2, bottom // 2 * 2)
        if outer != (0, 0, frame.width, frame.height):
            kind = (frame.width, frame.height, frame.format.name, outer)
            if kind != self._kind:
                self._graph, self._kind = _build_graph(frame, outer), kind
            self._graph.push(frame)
            frame = self._graph.pull()
        return frame, CropBox(box.left - left, box.top - top, box.right - left, box.bottom - top)


def _build_graph(frame: Any, box: CropBox) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name,
                              time_base=frame.time_base or Fraction(1, 25))
    crop = graph.add('crop', f'{box.right - box.left}:{box.bottom - box.top}:{box.left}:{box.top}')
    graph.link_nodes(source, crop, graph.add('buffersink')).configure()
    return graph
