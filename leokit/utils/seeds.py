"""Seeds of samples: functions of a job's seed and of a sample's number.

A named sample has a number as well: :func:`~leokit.utils.hashing.stable_number`.
"""

import random
from contextlib import contextmanager
from typing import Iterable, Iterator

import numpy as np
import torch

from leokit.utils.errors import UserError


@contextmanager
def keep_random_state() -> Iterator[None]:
    """Restore the global random states of Python, NumPy and torch (CPU) after the block.

    For code of libraries that draws from them although its result does not depend on it, such as the initialization of
    weights that are then loaded.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def sample_seeds(seed: int, samples: Iterable[int], stream: int = 0) -> list[int]:
    """Independent 63-bit seeds of numbered samples.

    Args:
        seed (int): Seed of the whole job, at least 0.
        samples (Iterable[int]): Numbers of the samples, at least 0.
        stream (int): Distinguishes independent sources of noise of one sample; 0 is its motion.

    Returns:
        list[int]: One seed for each sample.
    """
    if seed < 0:
        raise UserError(f'the seed must be 0 or more, got {seed}')
    more = (stream,) if stream else ()
    return [int(np.random.SeedSequence((seed, number, *more)).generate_state(1, np.uint64)[0] >> np.uint64(1))
            for number in samples]
