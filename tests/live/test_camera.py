"""Cameras: files in real time, devices and addresses that are gone, forbidden addresses."""

import http.server
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from leokit.live import NewestFrame, open_camera
from leokit.live import camera as camera_module
from leokit.utils import UserError
from leokit.video import VideoWriter


def gray(level):
    return np.full((24, 32, 3), level, np.uint8)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / 'my camera.mp4'
    with VideoWriter(path, 20.0) as writer:
        writer.write(np.stack([gray(20 * number) for number in range(10)]))
    return path


@pytest.fixture
def serve():
    """Serve a function that writes to a socket, as a camera in the network would."""
    servers = []

    def serve(write):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                write(self)

            def log_message(self, *arguments):
                pass
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f'http://127.0.0.1:{server.server_address[1]}'
    yield serve
    for server in servers:
        server.shutdown()


def send_jpegs(handler, count, wait=0.0):
    handler.send_response(200)
    handler.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
    handler.end_headers()
    for number in range(count):
        content = cv2.imencode('.jpg', gray(20 * number))[1].tobytes()
        handler.wfile.write(b'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' % len(content)
                            + content + b'\r\n')
        time.sleep(wait)


def test_a_file_plays_at_its_own_rate(clip):
    camera = open_camera(str(clip))
    assert (camera.name, camera.fps) == ('my camera.mp4', 20.0)
    start = time.monotonic()
    levels = [int(frame.mean()) for frame in camera.frames]
    assert 0.44 < time.monotonic() - start < 3  # 9 intervals of 0.05 seconds
    assert np.abs(np.array(levels) - 20 * np.arange(10)).max() <= 3


def test_a_slow_consumer_gets_the_newest_frame():
    def frames():
        for level in range(8):
            yield gray(level)
            time.sleep(0.03)
    with NewestFrame(frames()) as newest:
        numbers = []
        while (frame := newest.take()) is not None:
            assert frame.pixels[0, 0, 0] == frame.number
            numbers.append(frame.number)
            time.sleep(0.1)
    assert numbers == sorted(set(numbers)) and len(numbers) < 8 and numbers[-1] == 7
    assert newest.take(0.01) is None and newest.ended


def test_the_end_of_the_camera_reaches_the_consumer():
    def frames():
        yield gray(1)
        raise UserError('the camera is gone')
    with NewestFrame(frames()) as newest:
        time.sleep(0.05)
        assert newest.take().number == 0  # the last frame is not lost
        with pytest.raises(UserError, match='the camera is gone'):
            newest.take()


def test_waiting_has_an_end():
    release = threading.Event()

    def frames():
        release.wait(5)
        yield gray(0)
    with NewestFrame(frames()) as newest:
        assert newest.take(0.02) is None and not newest.ended
        release.set()
        assert newest.take(5).number == 0


def test_a_stream_in_the_network(serve):
    address = serve(lambda handler: send_jpegs(handler, 6))
    frames = open_camera(address + '/video').frames
    levels = np.array([int(next(frames).mean()) for _ in range(3)])  # the pictures before it is open are dropped
    assert np.abs(np.diff(levels) - 20).max() <= 3
    with pytest.raises(UserError, match=r'127.0.0.1.* has stopped sending after \d pictures'):
        list(frames)


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='needs Linux')
def test_pictures_start_no_threads(serve):
    frames, threads = open_camera(serve(lambda handler: send_jpegs(handler, 9)) + '/video').frames, []
    for _ in range(4):
        next(frames)
        threads.append({task.name for task in Path('/proc/self/task').iterdir()})
    assert all(later <= threads[0] for later in threads)


def test_a_stream_that_stalls_counts_as_gone(serve):
    def stall(handler):
        send_jpegs(handler, 2)
        time.sleep(3)
    frames = open_camera(serve(stall), timeout=0.5).frames
    start = time.monotonic()
    with pytest.raises(UserError, match='has stopped sending|cannot be opened'):
        list(frames)
    assert time.monotonic() - start < 2.9


def test_an_address_without_a_camera(serve):
    with pytest.raises(UserError, match='cannot be opened'):
        list(open_camera('http://127.0.0.1:1/none').frames)
    nothing = serve(lambda handler: handler.send_error(404))
    with pytest.raises(UserError, match='cannot be opened'):
        list(open_camera(nothing).frames)


def test_passwords_are_not_shown():
    with pytest.raises(UserError) as error:
        list(open_camera('http://user:secret@127.0.0.1:1/stream').frames)
    assert 'secret' not in str(error.value) and '127.0.0.1:1/stream' in str(error.value)


@pytest.mark.parametrize('address', ['file:///etc/passwd', 'ftp://host/a', 'concat://a|b', 'pipe://0', 'data://x',
                                     'gopher://host/'])
def test_other_protocols_are_refused(address):
    with pytest.raises(UserError, match='an address of rtsp, rtsps, http, https'):
        open_camera(address)


def test_a_playlist_in_the_network_reads_no_local_files(serve, clip):
    def playlist(handler):
        handler.send_response(200)
        handler.send_header('Content-Type', 'application/vnd.apple.mpegurl')
        handler.end_headers()
        handler.wfile.write(f'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n'.encode())
    with pytest.raises(UserError, match='cannot be opened|stopped sending|no video'):
        next(open_camera(serve(playlist) + '/list.m3u8', timeout=2).frames)


def test_a_device_that_does_not_exist():
    with pytest.raises(UserError, match='there is no camera 63'):
        open_camera('63')


def test_a_device_that_is_unplugged(monkeypatch):
    class Unplugged:
        reads = 0

        def read(self):
            self.reads += 1
            return (True, gray(9)) if self.reads <= 2 else (False, None)

        def release(self):
            self.released = True
    monkeypatch.setattr(camera_module, 'RETRY_SECONDS', 0.0)
    capture = Unplugged()
    frames = camera_module._read_device(capture, 0)
    assert next(frames).mean() == next(frames).mean() == 9
    with pytest.raises(UserError, match='the camera 0 sends no pictures any more'):
        next(frames)
    assert capture.released


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / 'text.mp4').write_text('no video')
    for name, words in (('text.mp4', 'is not a readable video'), ('missing.mp4', 'does not exist')):
        with pytest.raises(UserError, match=words):
            open_camera(str(tmp_path / name))
