"""Speed from files to files: reading, computing and writing alone, then all of them as the commands run them.

Writing alone encodes the frames that computing has made, since the time of encoding depends on what the frames show.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from leokit.benchmark.speed.bench import SpeedBench
from leokit.benchmark.speed.stages import report_stages
from leokit.inference.animation import VideoAnimator
from leokit.inference.generation import VideoGenerator
from leokit.inference.host_copy import copies_to_host
from leokit.inference.outputs import COLOR_MATRIX, FrameStream, write_videos, writer_pool
from leokit.inference.rendering import CHUNK_SIZE
from leokit.models import Animator
from leokit.video import VideoWriter, iterate_frames, open_video
from leokit.video.frame_rate import DEFAULT_FPS

TARGET = 0.85  # of the slowest stage
VIDEOS = 8  # generated at a time, as leokit generate does


def bench_end_to_end(bench: SpeedBench) -> None:
    """``leokit animate`` of a video file, then ``leokit generate``; the share is that of the slowest stage alone."""
    count = bench.options.end_to_end_frames
    animator = bench.build_animator(compiled=False).eval()
    with tempfile.TemporaryDirectory() as folder:
        _bench_animate(bench, animator, Path(folder), count)
        _bench_generate(bench, animator, Path(folder), max(count // VIDEOS, 1))


def _bench_animate(bench: SpeedBench, animator: Animator, folder: Path, count: int) -> None:
    size = animator.size
    pixels = moving_frames(count, size)
    driving = folder / 'driving.mp4'
    with VideoWriter(driving, DEFAULT_FPS) as writer:
        writer.write(pixels)
    source = torch.from_numpy(pixels[0].copy()).permute(2, 0, 1)
    transfer = VideoAnimator(animator, amp=bench.options.amp)

    def read() -> None:
        with open_video(driving) as video:
            _exhaust(iterate_frames(video, size, chunk_size=CHUNK_SIZE, device=bench.device))

    computed: list[np.ndarray] = []  # of the latest computation, as HostCopy has them

    def compute() -> None:
        frames = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        computed[:] = (copy.wait() for copy in copies_to_host(transfer.animate(source, frames), COLOR_MATRIX))

    def write() -> None:
        _write(computed, [folder / 'written.mp4'])

    def animate() -> None:
        with open_video(driving) as video:
            frames = transfer.animate(source, video)
            write_videos(FrameStream(frames, count, size, DEFAULT_FPS), [folder / 'animated.mp4'])

    stages = dict(reading=read, computing=compute, writing=write)
    report_stages(bench, f'animate, {count} frames', {name: (stage, count) for name, stage in stages.items()},
                  (animate, count), TARGET)


def _bench_generate(bench: SpeedBench, animator: Animator, folder: Path, count: int) -> None:
    size, total = animator.size, VIDEOS * count
    image = torch.from_numpy(moving_frames(1, size)[0]).permute(2, 0, 1)
    model = bench.build_motion_diffusion().eval()
    generator = VideoGenerator(animator, model, amp=bench.options.amp)

    def generate() -> Iterator[Tensor]:
        return generator.generate(image, count, num_sequences=VIDEOS)

    computed: list[np.ndarray] = []  # of the latest computation, as HostCopy has them

    def compute() -> None:
        computed[:] = (copy.wait() for copy in copies_to_host(generate(), COLOR_MATRIX))

    def write() -> None:
        _write(computed, [folder / f'written_{k}.mp4' for k in range(VIDEOS)])

    def both() -> None:
        write_videos(FrameStream(generate(), count, size, DEFAULT_FPS),
                     [folder / f'generated_{k}.mp4' for k in range(VIDEOS)])

    report_stages(bench, f'generate, {VIDEOS} x {count} frames', dict(
        computing=(compute, total), writing=(write, total)), (both, total), TARGET)


def _write(computed: list[np.ndarray], paths: list[Path]) -> None:
    with writer_pool(paths, DEFAULT_FPS) as pool:
        for chunk in computed:
            pool.write(chunk)


def moving_frames(count: int, size: int) -> np.ndarray:
    """uint8 (count, size, size, 3): smooth colors with some noise that move, so that encoders have work to do."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    plane = np.asarray(torch.nn.functional.interpolate(
        torch.from_numpy(coarse).permute(2, 0, 1)[None].float(), size=(size, size), mode='bicubic'))[0]
    plane = np.clip(plane.transpose(1, 2, 0) + rng.normal(0, 4, (size, size, 3)), 0, 255).astype(np.uint8)
    return np.stack([np.roll(plane, (number, number // 2), (1, 0)) for number in range(count)])


def _exhaust(items: Iterable) -> None:
    for _ in items:
        pass
