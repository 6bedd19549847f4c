"""A pipeline against its stages: each alone and all together in turn, and the share of the slowest stage."""

import time
from collections.abc import Callable

import numpy as np
import torch

from leokit.benchmark.speed.bench import MIB, SpeedBench
from leokit.utils.cpu_memory import peak_memory, reset_peak_memory

WHOLE = 'end to end'


def report_stages(bench: SpeedBench, name: str, stages: dict[str, tuple[Callable[[], None], int]],
                  whole: tuple[Callable[[], None], int], target: float) -> None:
    """Time every stage alone and the whole, in turn, and report the median rates and the share of the slowest stage.

    Args:
        bench (SpeedBench): Collects the row.
        name (str): Of the row.
        stages (dict): The work of every stage and the number of its frames.
        whole (tuple): The pipeline and the number of its frames.
        target (float): The share to reach.
    """
    works = {**stages, WHOLE: whole}
    seconds: dict[str, list[float]] = {each: [] for each in works}
    peak = 0
    for repeat in range(bench.options.repeats + 1):  # the first one warms up
        for each, (work, _) in works.items():
            reset_peak_memory()
            start = time.perf_counter()
            work()
            if bench.device.type == 'cuda':
                torch.cuda.synchronize(bench.device)
            if repeat:
                seconds[each].append(time.perf_counter() - start)
            if each == WHOLE:
                peak = peak_memory()
    rates = {each: works[each][1] / float(np.median(times)) for each, times in seconds.items()}
    share = rates[WHOLE] / min(rates[each] for each in stages)
    bench.rows.append(dict(name=name, unit='frames/s', rates=rates, share=share, target=target, peak_mib=peak / MIB))
    listed = ', '.join(f'{each} {rate:,.1f}' for each, rate in rates.items())
    print(f'{name}: {listed} frames/s; {share:.1%} of the slowest stage (aim {target:.0%}), '
          f'peak memory {peak / MIB:,.0f} MiB', flush=True)
