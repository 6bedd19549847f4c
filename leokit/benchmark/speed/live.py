"""Speed of one frame at a time, as in ``leokit live``: from a frame in memory to a rendered one in memory."""

import numpy as np

from leokit.benchmark.speed.bench import SpeedBench
from leokit.inference.live import LiveAnimator


def bench_live(bench: SpeedBench) -> None:
    """Latency of :class:`~leokit.inference.live.LiveAnimator`; on a GPU without and with CUDA graphs."""
    animator = bench.build_animator(compiled=False).eval()
    frame = np.random.default_rng(0).integers(0, 256, (bench.options.size, bench.options.size, 3), dtype=np.uint8)
    for graphs in (False, True) if bench.device.type == 'cuda' else (False,):
        session = LiveAnimator(animator, frame, amp=bench.options.amp, graphs=graphs)
        name = 'one frame, encoded and decoded' + (', CUDA graphs' if graphs else '')
        bench.report(name, bench.time(lambda session=session: session(frame)), 1, 'frames')
