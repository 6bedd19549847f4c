"""Frames in a browser: a page with an MJPEG stream, served by the standard library."""

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

from leokit.live.displays import RESET
from leokit.live.latency import LatencyMeter
from leokit.utils import UserError

JPEG_QUALITY = 90
BOUNDARY = 'leokit-frame'
IDLE_SECONDS = 1.0  # a viewer who is gone is noticed at the latest when the next frame is sent
PAGE = '''<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>leokit live</title><style>
body { margin: 0; background: #0f172a; color: #cbd5e1; font: 15px system-ui, sans-serif; text-align: center; }
img { height: min(80vh, 100vw); margin-top: 4vh; border-radius: 8px; }
button { font: inherit; padding: 0.5em 1.2em; border-radius: 6px; border: 0; background: #6366f1; color: white; }
p { margin: 0.8em; }
</style></head><body>
<img src="stream" alt="the animated portrait"><p><button>Take the current pose as reference</button></p>
<script>document.querySelector('button').onclick = () => fetch('reset', {method: 'POST'})</script>
</body></html>
'''


class PageDisplay:
    """Shows frames on a page. Every viewer gets the newest frame; slow ones skip frames.

    Args:
        port (int): Port; 0 for a free one.
        host (str): Address to listen on; this machine alone by default.

    Attributes:
        address (str): Of the page.
        sent (LatencyMeter): From the arrival of a camera frame until its result was sent to a viewer.
    """

    def __init__(self, port: int, host: str = '127.0.0.1') -> None:
        self.sent = LatencyMeter()
        self._newest: tuple[int, bytes, float] | None = None  # number, JPEG, arrival of the camera frame
        self._changed = threading.Condition()
        self._reset = False
        self._closed = False
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(self))
        except (OSError, OverflowError) as error:
            raise UserError(f'the page cannot be served at {host}:{port} ({getattr(error, "strerror", None) or error})'
                            '; pass another --page port') from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.address = f'http://{"localhost" if host in ("127.0.0.1", "0.0.0.0") else host}:{self.port}/'
        threading.Thread(target=self._server.serve_forever, name='leokit-live-page', daemon=True).start()

    def show(self, frame: np.ndarray, arrival: float | None = None) -> str | None:
        """Publish a frame; ``arrival`` is when its camera frame came (``time.perf_counter``)."""
        done, content = cv2.imencode('.jpg', frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise ValueError(f'a frame of shape {frame.shape} cannot be encoded as JPEG')
        with self._changed:
            number = self._newest[0] + 1 if self._newest else 0
            self._newest = number, content.tobytes(), time.perf_counter() if arrival is None else arrival
            self._changed.notify_all()
            wanted, self._reset = RESET if self._reset else None, False
        return wanted

    def close(self) -> None:
        """End the page."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, after: int) -> tuple[int, bytes, float] | None:
        """The newest frame with a number above ``after``; None once the page has ended."""
        with self._changed:
            while not self._closed:
                if self._newest and self._newest[0] > after:
                    return self._newest
                self._changed.wait(IDLE_SECONDS)
        return None

    def _ask_for_reset(self) -> None:
        with self._changed:
            self._reset = True


def _handler(display: PageDisplay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Three addresses: the page, its stream, and the wish for a new reference."""

        protocol_version = 'HTTP/1.0'
        timeout = 10.0

        def do_GET(self) -> None:
            if self.path == '/':
                self._send('text/html; charset=utf-8', PAGE.encode())
            elif self.path == '/stream':
                self._stream()
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            if self.path != '/reset':
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            display._ask_for_reset()
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass  # the terminal shows the latency

        def _send(self, kind: str, content: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header('Content-Type', kind)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _stream(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header('Content-Type', f'multipart/x-mixed-replace; boundary={BOUNDARY}')
            self.send_header('Cache-Control', 'no-store')
            self.end_headers()
            number = -1
            try:
                while (newest := display._wait(number)) is not None:
                    number, content, arrival = newest
                    self.wfile.write(f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}'
                                     '\r\n\r\n'.encode() + content + b'\r\n')
                    self.wfile.flush()
                    display.sent.add(time.perf_counter() - arrival)
            except OSError:  # the viewer is gone
                pass
    return Handler
