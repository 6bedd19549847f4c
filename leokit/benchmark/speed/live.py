"""Speed of one frame at a time, as in ``leokit live``: from a frame in memory to a rendered one in memory."""

import numpy as np

from leokit.benchmark.speed.bench import SpeedBench
from leokit.inference.live import LiveAnimator


def bench_live(bench: SpeedBench) -> None:
    """Latency of :class:`~leokit.inference.live.LiveAnimator`, with and without CUDA graphs and compilation."""
    animator = bench.build_animator(compiled=False).eval()
    frame = np.random.default_rng(0).integers(0, 256, (bench.options.size, bench.options.size, 3), dtype=np.uint8)
    ways = [('', False, False)]
    if bench.device.type == 'cuda':
        ways.append((', CUDA graphs', True, False))
    if bench.options.compile:
        ways.append((', CUDA graphs, compiled' if bench.device.type == 'cuda' else ', compiled', True, True))
    for name, graphs, compiled in ways:
        session = LiveAnimator(animator, frame, amp=bench.options.amp, graphs=graphs, compile=compiled)
        timing = bench.time(lambda session=session: session(frame))
        bench.report(f'one frame, encoded and decoded{name}', timing, 1, 'frames')
