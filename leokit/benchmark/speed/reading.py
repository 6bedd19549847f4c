"""Processor time of reading phone videos: what a model sees of the frames alone, against whole frames, in turn."""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Callable

import numpy as np

from leokit.benchmark.speed.bench import SpeedBench
from leokit.benchmark.speed.end_to_end import moving_frames
from leokit.croppers import CroppedVideo, CropRegion, CropTrack, crop_region
from leokit.inference.rendering import CHUNK_SIZE
from leokit.utils.cpu_memory import peak_memory
from leokit.utils.timing import Timing
from leokit.video import VideoWriter, fit_frames, iterate_frames, open_video
from leokit.video.frame_rate import DEFAULT_FPS
from leokit.video.readers.frame_pixels import conversion_options

HEIGHT, WIDTH = 1080, 1920
FACE = CropRegion(900, 500, 560, 560)


def bench_reading(bench: SpeedBench) -> None:
    """A video of 1920x1080: its central square, and a face of 560 pixels."""
    count, size = min(bench.options.end_to_end_frames, CHUNK_SIZE), bench.options.size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'phone.mp4'
        with VideoWriter(path, DEFAULT_FPS) as writer:
            for frame in moving_frames(count, WIDTH):
                writer.write(frame[None, :HEIGHT])

        def decode() -> None:
            with open_video(path) as video:
                for _ in video.decode_file(range(count)):
                    pass

        def read(crop_to_face: bool) -> None:
            with open_video(path) as video:
                seen = CroppedVideo(video, CropTrack.resting(FACE), size) if crop_to_face else video
                for _ in iterate_frames(seen, size, chunk_size=CHUNK_SIZE, device=bench.device):
                    pass

        def read_whole(crop_to_face: bool) -> None:
            with open_video(path) as video:
                pixels = np.stack([frame.reformat(format='rgb24', **conversion_options()).to_ndarray()
                                   for frame in video.decode_file(range(count))])
            if crop_to_face:
                np.stack([crop_region(frame, FACE, size) for frame in pixels])
            else:
                fit_frames(pixels, size)

        decoded, center, whole_center, face, whole_face = processor_times(
            bench, decode, *(partial(work, is_face) for is_face in (False, True) for work in (read, read_whole)))
    bench.report(f'decode {WIDTH}x{HEIGHT}', decoded, count, 'frames')
    bench.report_ratio(f'read {count} frames of {WIDTH}x{HEIGHT}, center', center, whole_center)
    bench.report_ratio(f'read {count} frames of {WIDTH}x{HEIGHT}, face', face, whole_face)


def processor_times(bench: SpeedBench, *works: Callable[[], None]) -> list[Timing]:
    """Seconds that all threads of this process compute, for each work; they take turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(bench.options.warmup + bench.options.repeats):
        for work, times in zip(works, seconds):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    counted = [times[bench.options.warmup:] for times in seconds]
    return [Timing(statistics.median(times), min(times), max(times), peak_memory()) for times in counted]
