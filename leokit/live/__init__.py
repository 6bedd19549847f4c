"""A portrait driven by a camera in real time (``leokit live``): cameras, displays, latency."""

from leokit.live.camera import open_camera
from leokit.live.displays import FileDisplay, WindowDisplay
from leokit.live.latency import LatencyMeter
from leokit.live.loop import LiveReport, run_live, warm_up
from leokit.live.newest_frame import NewestFrame
from leokit.live.page import PageDisplay

__all__ = [
    'FileDisplay', 'LatencyMeter', 'LiveReport', 'NewestFrame', 'PageDisplay', 'WindowDisplay', 'open_camera',
    'run_live', 'warm_up',
]
