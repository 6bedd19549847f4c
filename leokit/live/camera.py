"""Cameras: a device of this machine, a network stream, or a video file that plays as a camera would.

Addresses are opened only if the operator gives them on the command line, and only of a few protocols. Everything else
in leokit refuses addresses, also within files that it opens (:mod:`leokit.video.readers.container`).
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import av
import cv2
import numpy as np

from leokit.utils import UserError
from leokit.video import open_video
from leokit.video.conversion_threads import ONE_THREAD

# the protocols of FFmpeg that each kind of address may use; no file is ever opened from an address
PROTOCOLS = dict(rtsp='rtsp,rtp,udp,tcp,srtp', rtsps='rtsps,rtsp,rtp,tcp,tls,srtp', http='http,tcp,httpproxy',
                 https='https,tls,tcp,httpproxy,http,crypto')
TIMEOUT = 10.0  # seconds without a picture until an address counts as gone
FAILED_READS = 30  # of a device, until it counts as gone
RETRY_SECONDS = 0.1
ADDRESS = re.compile(r'([a-z][a-z0-9+.-]*)://', re.IGNORECASE)


class Camera:
    """An open camera.

    Args:
        name (str): What it is called in messages, without passwords.
        frames (Iterator[np.ndarray]): Its frames, uint8 RGB (H, W, 3), as they come; a :class:`UserError` when it is
            gone.
        fps (float, optional): Frames per second, if known.
    """

    def __init__(self, name: str, frames: Iterator[np.ndarray], fps: float | None = None) -> None:
        self.name = name
        self.frames = frames
        self.fps = fps


def open_camera(source: str, *, timeout: float = TIMEOUT) -> Camera:
    """Open a camera and wait for nothing: errors of devices and files come now, those of addresses with the frames.

    Args:
        source (str): The number of a device (``'0'``), an address (``'rtsp://...'``, ``'http://...'``) or a video file.
        timeout (float): Seconds without a picture until an address counts as gone.
    """
    if re.fullmatch(r'\d+', source):
        return _open_device(int(source))
    address = ADDRESS.match(source)
    if address and not Path(source).exists():
        return _open_address(source, address[1].lower(), timeout)
    video = open_video(source)
    return Camera(video.path.name, _play(video), video.fps)


def _open_device(number: int) -> Camera:
    devices = sorted(str(path) for path in Path('/dev').glob('video*'))
    if sys.platform.startswith('linux') and f'/dev/video{number}' not in devices:
        others = f'there are {", ".join(devices)}' if devices else 'connect one, or pass a file or an address'
        raise UserError(f'there is no camera {number} (/dev/video{number}); {others}')
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise UserError(f'the camera {number} cannot be opened; close other programs that use it, and check the '
                        'permissions of its device')
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # old frames would add to the latency
    return Camera(f'camera {number}', _read_device(capture, number), capture.get(cv2.CAP_PROP_FPS) or None)


def _read_device(capture: cv2.VideoCapture, number: int) -> Iterator[np.ndarray]:
    failed = 0
    try:
        while failed < FAILED_READS:
            done, frame = capture.read()
            if done:
                failed = 0
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            else:
                failed += 1
                time.sleep(RETRY_SECONDS)
    finally:
        capture.release()
    raise UserError(f'the camera {number} sends no pictures any more; connect it again and start anew')


def _open_address(address: str, scheme: str, timeout: float) -> Camera:
    if scheme not in PROTOCOLS:
        raise UserError(f'{_without_password(address)} has the protocol {scheme}; a camera is a number, a file, or an '
                        f'address of {", ".join(PROTOCOLS)}')
    return Camera(_without_password(address), _read_address(address, scheme, timeout))


def _read_address(address: str, scheme: str, timeout: float) -> Iterator[np.ndarray]:
    name = _without_password(address)
    options = dict(protocol_whitelist=PROTOCOLS[scheme], fflags='nobuffer', flags='low_delay')
    if scheme.startswith('rtsp'):
        options['rtsp_transport'] = 'tcp'
    count = 0
    try:
        with av.open(address, options=options, timeout=timeout) as container:
            if not container.streams.video:
                raise UserError(f'{name} has no video stream; check the address')
            is_file = container.duration is not None  # a video on a web server, which ends
            for frame in container.decode(container.streams.video[0]):
                count += 1
                yield frame.to_ndarray(format='rgb24', **ONE_THREAD)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, 'strerror', None) or str(error)
        if count:
            raise UserError(f'{name} has stopped sending after {count} pictures ({reason}); check the camera and start '
                            'anew') from error
        raise UserError(f'{name} cannot be opened ({reason}); check the address and the camera') from error
    if not is_file:
        raise UserError(f'{name} has stopped sending after {count} pictures; check the camera and start anew')


def _play(video) -> Iterator[np.ndarray]:
    """The frames of a video, each at its time."""
    with closing(video):
        start = None
        number = 0
        for chunk in video.chunks(8):
            for frame in chunk:
                start = time.monotonic() if start is None else start
                time.sleep(max(0.0, start + number / video.fps - time.monotonic()))
                number += 1
                yield frame


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return address.replace(f'{parts.netloc.rpartition("@")[0]}@', '') if '@' in parts.netloc else address
