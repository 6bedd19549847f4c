"""Speed of ``leokit extract``: decoding and encoding alone, then both as the command runs them."""

import itertools
import tempfile
from pathlib import Path

import torch

from leokit.benchmark.speed.bench import SpeedBench
from leokit.benchmark.speed.evaluation import write_test_videos
from leokit.benchmark.speed.stages import report_stages
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.inference.code_extraction import decode_in_turn, extract_motion_codes
from leokit.inference.rendering import encode
from leokit.utils.thread_map import worker_count
from leokit.video.video_index import VideoIndex

VIDEOS = 32
TARGET = 0.85  # of the slower stage


def bench_extraction(bench: SpeedBench) -> None:
    """Motion codes of 32 H.264 files at the animator's resolution, decoded on all cores that the process may use."""
    animator = bench.build_animator(compiled=False).eval()
    batch_size, amp, workers = bench.options.batch_size, bench.options.amp, worker_count()
    length = max(bench.options.end_to_end_frames // VIDEOS, 2)
    with tempfile.TemporaryDirectory() as folder:
        write_test_videos(Path(folder), VIDEOS, length, animator.size)
        index = VideoIndex(folder)
        videos = list(index)
        decoder = FrameDecoder(animator.size)
        caches = (Path(folder) / f'codes_{number}' for number in itertools.count())
        images = torch.zeros(batch_size, 3, animator.size, animator.size, dtype=torch.uint8)
        images = images.contiguous(memory_format=torch.channels_last)
        images = images.pin_memory() if bench.device.type == 'cuda' else images

        def decode() -> None:
            for _ in decode_in_turn(lambda number: decoder.stream(videos[number]), VIDEOS, workers, animator.size):
                pass

        def encode_all() -> None:
            for _ in range(0, VIDEOS * length, batch_size):
                codes = encode(animator, images, amp=amp).motion
            codes.cpu()

        def extract() -> None:
            with CodeCacheWriter(next(caches), animator.motion_dim, animator=dict(weights_hash='untrained')) as writer:
                extract_motion_codes(animator, index, writer, batch_size=batch_size, amp=amp, show_progress=False)

        count = -(-VIDEOS * length // batch_size) * batch_size
        report_stages(bench, f'extract, {VIDEOS} x {length} frames, {workers} workers', dict(
            reading=(decode, VIDEOS * length), encoding=(encode_all, count)), (extract, VIDEOS * length), TARGET)
