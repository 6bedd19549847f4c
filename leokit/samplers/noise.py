"""The noise of a sampler: from the global generator, from one generator, or from one per sample.

With one generator per sample, a sample is a function of its own seed and does not depend on the rest of the batch. A
generator on the CPU gives the same noise for every device.
"""

from typing import Callable, Sequence

import torch
from torch import Generator, Tensor

from leokit.utils.batch_random import randn_rows_like

NoiseSource = Callable[[Tensor], Tensor]  # a batch (B, ...) -> standard normal noise of its shape, dtype and device


def noise_source(generator: Generator | Sequence[Generator] | None = None) -> NoiseSource:
    """A noise source from one generator, from one per sample, or (None) from torch's global generator."""
    if generator is None:
        return randn_rows_like
    if isinstance(generator, Generator):
        return lambda like: _randn(tuple(like.shape), like, generator)
    generators = list(generator)

    def randn(like: Tensor) -> Tensor:
        if len(generators) != like.shape[0]:
            raise ValueError(f'generator must hold one generator per sample: got {len(generators)} for a batch of '
                             f'{like.shape[0]}')
        return torch.stack([_randn(tuple(like.shape[1:]), like, one) for one in generators])

    return randn


def _randn(shape: tuple[int, ...], like: Tensor, generator: Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)


def generators_from_seeds(seeds: Sequence[int], device: str = 'cpu') -> list[Generator]:
    """One generator per seed; on the CPU, the noise is the same on every machine."""
    return [Generator(device=device).manual_seed(int(seed)) for seed in seeds]
