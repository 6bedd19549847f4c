"""Timing of work on any device: medians over repeats after a warm-up."""

import statistics
import time
from typing import Callable, NamedTuple

import torch

from leokit.utils.cpu_memory import reset_peak_memory, peak_memory


class Timing(NamedTuple):
    """Times of one piece of work.

    Attributes:
        median (float): Seconds.
        lowest (float): Seconds.
        highest (float): Seconds.
        peak_memory (int): Peak of the memory that torch reserved on the device, CUDA graphs included; on a CPU, peak
            resident memory of the process. In bytes; 0 if unknown.
    """

    median: float
    lowest: float
    highest: float
    peak_memory: int


def measure(work: Callable[[], object], device: torch.device | str, *, repeats: int = 10, warmup: int = 3) -> Timing:
    """Time ``work``.

    Args:
        work (Callable): The work; its result is discarded.
        device (torch.device | str): Where it runs; a CUDA device is synchronized before and after every repeat.
        repeats (int): Number of measurements.
        warmup (int): Number of runs before, in which compilation and allocation happen.
    """
    device = torch.device(device)
    on_cuda = device.type == 'cuda'

    def wait() -> None:
        if on_cuda:
            torch.cuda.synchronize(device)

    if on_cuda:
        torch.cuda.empty_cache()  # memory reserved by earlier work does not count
    for _ in range(warmup):
        work()
    wait()
    if on_cuda:
        torch.cuda.reset_peak_memory_stats(device)
    else:
        reset_peak_memory()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - start)
    # reserved, not allocated, because the latter does not include the memory of CUDA graphs
    peak = torch.cuda.max_memory_reserved(device) if on_cuda else peak_memory()
    return Timing(statistics.median(seconds), min(seconds), max(seconds), peak)
