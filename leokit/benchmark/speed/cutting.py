"""Speed of ``leokit prepare``: clips cut by this package and by the program ffmpeg, side by side."""

import resource
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

import cv2
import numpy as np

from leokit.preparation.clip_record import ClipRecord, ClipTimes
from leokit.preparation.crop_rules import FrameSize
from leokit.preparation.video_work import ClipSettings, Piece, VideoTask, work_on_video
from leokit.utils import UserError
from leokit.utils.process_map import process_map
from leokit.video import VideoWriter
from leokit.video.face_crop import center_box
from leokit.video.frame_rate import exact_rate
from leokit.video.readers import AutoReader

TEST_HEIGHT, TEST_WIDTH, TEST_FPS = 720, 1280, 25
TEST_VIDEOS = 4
NOISE = 4.0  # standard deviation in gray levels, as of a camera


class Cost(NamedTuple):
    """Seconds of the clock and of the processors."""

    wall: float
    cpu: float


def write_test_videos(folder: Path, seconds: float) -> list[Path]:
    """Videos of 1280x720 with moving structures of all sizes and noise, a key frame every 5 seconds."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(TEST_VIDEOS):
        texture = sum(cv2.resize(rng.normal(0, 20, (size, size, 3)).astype(np.float32), (2048, 2048),
                                 interpolation=cv2.INTER_CUBIC) for size in (8, 32, 128, 512))
        paths.append(folder / f'video{number}.mp4')
        with VideoWriter(paths[-1], TEST_FPS, crf=23, keyframe_interval=5 * TEST_FPS) as writer:
            for index in range(round(seconds * TEST_FPS)):
                x, y = (round(200 * (1 + np.sin(index / period))) for period in (31, 47))
                view = texture[y:y + TEST_HEIGHT, x:x + TEST_WIDTH]
                noise = rng.normal(128, NOISE, (TEST_HEIGHT, TEST_WIDTH, 1)).astype(np.float32)
                writer.write((view + noise).clip(0, 255).astype(np.uint8)[None])
    return paths


def bench_cutting(videos: Sequence[Path], folder: Path, *, clips: int, seconds: float, size: int, workers: int,
                  repeats: int) -> None:
    """Print the time of ffmpeg, of this package, and of this package with its checks, and their ratios.

    Every clip is the central square of a part of a video, scaled to ``size``, with the encoder's settings of
    ``leokit prepare``. ffmpeg runs once for each clip, on one thread for decoding and one for encoding; ``workers`` of
    them, and of our processes, run at a time.

    Args:
        videos (Sequence[Path]): Videos that are long enough.
        folder (Path): For the clips.
        clips (int): Clips of each video.
        seconds (float): Length of a clip.
        size (int): Resolution of the clips.
        workers (int): Processes at a time; with 1 the clips are cut in this process.
        repeats (int): Timed runs of each kind, in turns.
    """
    if shutil.which('ffmpeg') is None:
        raise UserError('the program ffmpeg, with which the speed is compared, was not found; install it')
    settings = ClipSettings(size=size, crop='center', min_frames=1, min_side=0, checks=())
    tasks = [_task(video, folder, clips, seconds) for video in videos]
    runs: dict[str, Callable[[], None]] = {
        'ffmpeg': lambda: _run_ffmpeg(tasks, folder, settings, workers),
        'leokit': lambda: _run_ours(tasks, settings, workers),
        'leokit, with checks': lambda: _run_ours(tasks, replace(settings, checks=ClipSettings.checks), workers)}
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            costs[name].append(_measure(run))
    frames = sum(_frames(piece.record, task) for task in tasks for piece in task.pieces)
    print(f'{len(videos)} videos, {clips} clips of {seconds:g} s each, to {size}x{size}, {frames} frames in all, '
          f'{workers} at a time, median of {repeats}')
    median = {name: Cost(*(statistics.median(values) for values in zip(*found))) for name, found in costs.items()}
    for name, cost in median.items():
        print(f'  {name:20} {cost.wall:7.2f} s {frames / cost.wall:7.0f} frames/s   {cost.cpu:7.2f} CPU s')
    for name in list(runs)[1:]:
        wall, cpu = (getattr(median['ffmpeg'], kind) / getattr(median[name], kind) for kind in Cost._fields)
        print(f'  speed of {name}, relative to ffmpeg: {wall:.2f} by the clock, {cpu:.2f} by CPU time')


def _task(video: Path, folder: Path, clips: int, seconds: float) -> VideoTask:
    with AutoReader().open(video) as opened:
        length = len(opened) / opened.fps
    if length < seconds:
        raise UserError(f'{video} lasts {length:.1f} s, less than the {seconds:g} s of a clip; pass longer videos')
    pieces = []
    for number in range(clips):
        start = Fraction((length - seconds) * number / max(1, clips - 1)).limit_denominator(100)
        end = start + Fraction(seconds).limit_denominator(100)
        name = f'{video.stem}_{number}'
        pieces.append(Piece(ClipRecord(name, video.stem, ClipTimes(start, end), None, name), folder / f'{name}.mp4'))
    return VideoTask(video, tuple(pieces))


def _frames(record: ClipRecord, task: VideoTask) -> int:
    with AutoReader().open(task.source) as opened:
        first, last = record.times.frames_at(exact_rate(opened.fps))
        return min(last, len(opened)) - first


def _run_ours(tasks: Sequence[VideoTask], settings: ClipSettings, workers: int) -> None:
    for _, results in process_map(partial(work_on_video, settings=settings), tasks, workers):
        assert isinstance(results, dict), 'a process crashed'


def _run_ffmpeg(tasks: Sequence[VideoTask], folder: Path, settings: ClipSettings, workers: int) -> None:
    commands = []
    for task in tasks:
        with AutoReader().open(task.source) as opened:
            frame = FrameSize(*opened.read([0]).shape[2:0:-1])
        box = center_box(*frame)
        for piece in task.pieces:
            start, end = piece.record.times.seconds
            commands.append([
                'ffmpeg', '-v', 'error', '-y', '-threads', '1', '-ss', f'{float(start):.3f}', '-i', str(task.source),
                '-t', f'{float(end - start):.3f}', '-an', '-vf',
                f'crop={box.right - box.left}:{box.bottom - box.top}:{box.left}:{box.top},'
                f'scale={settings.size}:{settings.size}:flags=area', '-c:v', 'libx264', '-threads', '1',
                '-crf', str(settings.crf), '-g', str(settings.keyframe_interval), '-bf', '0', '-pix_fmt', 'yuv420p',
                '-movflags', '+faststart', str(folder / f'ffmpeg_{piece.path.name}')])
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(partial(subprocess.run, check=True), commands))


def _measure(run: Callable[[], None]) -> Cost:
    before, start = _cpu_seconds(), time.perf_counter()
    run()
    return Cost(time.perf_counter() - start, _cpu_seconds() - before)


def _cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
