"""Where a sampler's noise comes from: the global generator, one generator, or one per sample.

With one generator per sample a sample is a function of its own seed: it does not depend on its batch
mates, and a generator on the CPU gives the same noise for every device.
"""

from typing import Callable, Sequence

import torch
from torch import Generator, Tensor

NoiseSource = Callable[[Tensor], Tensor]  # a batch (B, ...) -> standard normal noise shaped, typed and placed like it


def noise_source(generator: Generator | Sequence[Generator] | None = None) -> NoiseSource:
    """Make a noise source.

    Args:
        generator (Generator | Sequence[Generator], optional): One generator for all, or a list with one per
            sample; None stands for torch's global generator.

    Returns:
        NoiseSource: Draws standard normal noise like a given batch (B, ...). It raises ValueError if there
        are several generators and their number is not B.
    """
    if generator is None:
        return torch.randn_like
    if isinstance(generator, Generator):
        return lambda like: _draw(tuple(like.shape), like, generator)
    generators = list(generator)

    def draw(like: Tensor) -> Tensor:
        if len(generators) != like.shape[0]:
            raise ValueError(f'generator must hold one generator per sample: got {len(generators)} for a batch of '
                             f'{like.shape[0]}')
        return torch.stack([_draw(tuple(like.shape[1:]), like, one) for one in generators])

    return draw


def _draw(shape: tuple[int, ...], like: Tensor, generator: Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)


def generators_from_seeds(seeds: Sequence[int], device: str = 'cpu') -> list[Generator]:
    """One generator per seed.

    Args:
        seeds (Sequence[int]): One seed per sample.
        device (str): Where to draw; the default gives the same noise on every machine.

    Returns:
        list: Generators in the order of the seeds.
    """
    return [Generator(device=device).manual_seed(int(seed)) for seed in seeds]
