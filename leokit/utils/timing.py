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
        peak_memory (int): What the process took of the device's memory for it, CUDA graphs and the allocator's reserve
            included; on a CPU the most that it held in RAM meanwhile, all of it. Bytes; 0 if unknown.
    """

    median: float
    lowest: float
    highest: float
    peak_memory: int


def measure(work: Callable[[], object], device: torch.device | str, *, repeats: int = 10, warmup: int = 3) -> Timing:
    """Time ``work``.

    Args:
        work (Callable): What to time; its result is dropped.
        device (torch.device | str): Where it runs; a CUDA device is waited for around every repeat.
        repeats (int): How many times it is timed.
        warmup (int): How many times it runs before, uncounted (compilation and allocation happen here).

    Returns:
        Timing: Median, extremes and peak memory.
    """
    device = torch.device(device)
    on_cuda = device.type == 'cuda'

    def wait() -> None:
        if on_cuda:
            torch.cuda.synchronize(device)

    if on_cuda:
        torch.cuda.empty_cache()  # what earlier work left behind does not count
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
    # not what is allocated: a CUDA graph's own memory would be missing
    peak = torch.cuda.max_memory_reserved(device) if on_cuda else peak_memory()
    return Timing(statistics.median(seconds), min(seconds), max(seconds), peak)
