"""The loop, its displays and the command, with a tiny animator and a file as camera."""

import io
import re
import threading
import time
import urllib.request

import cv2
import numpy as np
import pytest
from PIL import Image
from support.calling import call_command
from support.tiny_models import make_animator
from support.tiny_runs import write_models

from leokit.inference.live import LiveAnimator
from leokit.live import FileDisplay, LatencyMeter, NewestFrame, PageDisplay, WindowDisplay, run_live
from leokit.live.displays import QUIT, RESET
from leokit.utils import UserError
from leokit.video import VideoWriter, open_video


def noise(count, seed=0):
    return list(np.random.default_rng(seed).integers(0, 255, (count, 32, 32, 3), dtype=np.uint8))


@pytest.fixture(scope='module')
def portrait():
    return noise(1, seed=1)[0]


class Recorder:
    """A display that keeps what it is shown, and answers from a list."""

    def __init__(self, *wishes):
        self.frames, self.wishes = [], list(wishes)

    def show(self, frame):
        self.frames.append(frame)
        return self.wishes.pop(0) if self.wishes else None


class OneByOne:
    """A camera whose next frame comes when the one before has been shown."""

    def __init__(self, frames):
        self.ready = threading.Semaphore(0)
        self._frames = frames

    def __iter__(self):
        for frame in self._frames:
            self.ready.acquire()
            yield frame


def live(frames, display, portrait, **options):
    camera = OneByOne(frames)
    show = display.show

    def show_and_continue(*arguments):
        camera.ready.release()
        return show(*arguments)
    display.show = show_and_continue
    camera.ready.release()
    with NewestFrame(camera) as newest:
        return run_live(LiveAnimator(make_animator(), portrait), newest, display, **options)


def test_every_frame_is_animated_in_order(portrait):
    frames, display = noise(5), Recorder()
    report = live(frames, display, portrait)
    alone = LiveAnimator(make_animator(), portrait)
    assert all((shown == alone(frame)).all() for shown, frame in zip(display.frames, frames))
    assert (report.shown, report.skipped, report.latency.count) == (5, 0, 5)
    assert report.latency.percentile(50) > 0 and report.seconds > 0
    assert re.fullmatch(r'5 frames, [\d.]+ per second, 0 skipped, latency [\d.]+ ms \(95 %: [\d.]+ ms\)', str(report))


def test_the_viewer_resets_and_quits(portrait):
    frames, display = noise(5), Recorder(None, RESET, None, QUIT)
    report = live(frames, display, portrait)
    assert report.shown == 4
    # the frame after the reset is the reference: it shows the portrait in its own pose, as the first one does
    assert (display.frames[2] == display.frames[0]).all() and (display.frames[1] != display.frames[0]).any()


def test_the_time_is_limited(portrait):
    report = live([noise(1)[0]] * 10_000, Recorder(), portrait, seconds=0.3)
    assert 0 < report.shown < 10_000


def test_the_camera_is_shown_next_to_the_result(portrait):
    display = Recorder()
    live([np.zeros((64, 128, 3), np.uint8)], display, portrait, show_camera=True)
    frame, = display.frames
    assert frame.shape == (32, 64 + 4 + 32, 3) and not frame[:, :64].any()


def test_reports_come_from_time_to_time(portrait):
    reports = []
    live(noise(4), Recorder(), portrait, report_every=0.0, report=reports.append)
    assert [report.shown for report in reports] == [1, 2, 3, 4]


def test_latencies():
    meter = LatencyMeter()
    assert str(meter) == 'latency unknown'
    for milliseconds in range(1, 102):
        meter.add(milliseconds / 1e3)
    assert meter.percentile(50) == pytest.approx(51) and meter.percentile(95) == pytest.approx(96)
    assert str(meter) == 'latency 51.0 ms (95 %: 96.0 ms)' and meter.count == 101


def test_the_page_streams_jpegs(portrait):
    display = PageDisplay(0)
    try:
        page = urllib.request.urlopen(display.address).read().decode()
        assert '<img src="stream"' in page
        with urllib.request.urlopen(display.address + 'stream', timeout=10) as stream:
            assert stream.headers['Content-Type'] == 'multipart/x-mixed-replace; boundary=leokit-frame'
            for level in (40, 200):
                display.show(np.full((16, 24, 3), (level, 0, 0), np.uint8))
                assert stream.readline() == b'--leokit-frame\r\n'
                assert stream.readline() == b'Content-Type: image/jpeg\r\n'
                length = int(stream.readline().split()[1])
                stream.readline()
                image = np.asarray(Image.open(io.BytesIO(stream.read(length))))
                stream.readline()
                assert image.shape == (16, 24, 3) and abs(int(image[..., 0].mean()) - level) < 6
        deadline = time.monotonic() + 10
        while display.sent.count < 2 and time.monotonic() < deadline:  # a frame is counted after it has been sent
            time.sleep(0.01)
        assert display.sent.count == 2
        assert display.show(portrait) is None
        urllib.request.urlopen(urllib.request.Request(display.address + 'reset', method='POST'))
        assert display.show(portrait) == RESET and display.show(portrait) is None
        for path in ('etc/passwd', '../x'):
            with pytest.raises(urllib.error.HTTPError, match='404'):
                urllib.request.urlopen(display.address + path)
    finally:
        display.close()


def test_a_used_port_is_named():
    display = PageDisplay(0)
    try:
        with pytest.raises(UserError, match=f'cannot be served at 127.0.0.1:{display.port}'):
            PageDisplay(display.port)
    finally:
        display.close()


def test_files(tmp_path, portrait):
    display = FileDisplay(tmp_path / 'a.mp4', 10.0)
    live(noise(3), display, portrait)
    display.close()
    with open_video(tmp_path / 'a.mp4') as video:
        assert (len(video), video.fps) == (3, 10.0)
    FileDisplay(tmp_path / 'b.mp4', 10.0).close()
    assert not (tmp_path / 'b.mp4').exists()


def test_windows(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(UserError, match='no screen to open a window on; pass --page'):
        WindowDisplay('a')
    shown, keys = [], [-1, ord('r'), ord('q'), 27]
    monkeypatch.setenv('DISPLAY', ':0')
    for name, function in (('namedWindow', lambda *a: None), ('resizeWindow', lambda *a: shown.append(a[1:])),
                           ('imshow', lambda title, image: shown.append(image[0, 0].tolist())),
                           ('waitKey', lambda delay: keys.pop(0)), ('getWindowProperty', lambda *a: 1.0),
                           ('destroyWindow', lambda *a: None)):
        monkeypatch.setattr(cv2, name, function)
    window = WindowDisplay('a')
    frame = np.full((64, 128, 3), (1, 2, 3), np.uint8)
    assert [window.show(frame) for _ in range(4)] == [None, RESET, QUIT, QUIT]
    assert shown[0] == (1024, 512) and shown[1] == [3, 2, 1]  # OpenCV's order of colors
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda *a: 0.0)
    keys.append(-1)
    assert window.show(frame) == QUIT  # the window was closed
    window.close()


def test_the_command(tmp_path, portrait):
    paths = write_models(tmp_path)
    with VideoWriter(tmp_path / 'my camera.mp4', 10.0) as writer:
        writer.write(np.stack(noise(6)))
    Image.fromarray(portrait).save(tmp_path / 'portrait.png')
    arguments = ('live', paths['animator_config'], paths['animator'], '--camera', tmp_path / 'my camera.mp4',
                 '--source', tmp_path / 'portrait.png', '--device', 'cpu')
    status, said = call_command(*arguments, '--out', tmp_path / 'live.mp4', '--show-camera', '--smooth', 0.05)
    assert status == 0, said
    assert re.search(r'live.mp4: \d frames, [\d.]+ per second, \d skipped, latency [\d.]+ ms', said)
    with open_video(tmp_path / 'live.mp4') as video:
        assert 1 <= len(video) <= 6 and video.read([0]).shape == (1, 32, 68, 3)
    for camera, words in (('63', 'there is no camera 63'), ('ftp://x/', 'an address of rtsp'),
                          (tmp_path / 'gone.mp4', 'does not exist')):
        status, said = call_command(*arguments[:3], '--camera', camera, *arguments[5:], '--out', tmp_path / 'x.mp4')
        assert status == 2 and words in said and 'Traceback' not in said and not (tmp_path / 'x.mp4').exists()
