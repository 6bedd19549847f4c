"""Noise sources."""

import numpy as np
import pytest
import torch

from leokit.samplers import generators_from_seeds, noise_source


def test_one_generator_per_sample_is_independent_of_the_batch():
    like = torch.zeros(3, 4, 5)
    together = noise_source(generators_from_seeds([7, 8, 9]))(like)
    alone = noise_source(generators_from_seeds([8]))(like[:1])
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_streams_continue():
    draw = noise_source(generators_from_seeds([1, 2]))
    first, second = draw(torch.zeros(2, 3)), draw(torch.zeros(2, 3))
    assert not torch.equal(first, second)


def test_one_generator_is_reproducible_and_does_not_use_the_global_one():
    state = torch.get_rng_state()
    draws = [noise_source(torch.Generator().manual_seed(3))(torch.zeros(2, 3)) for _ in range(2)]
    assert torch.equal(*draws)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_default_is_the_global_generator():
    torch.manual_seed(5)
    a = noise_source()(torch.zeros(2, 3))
    torch.manual_seed(5)
    assert torch.equal(a, torch.randn(2, 3))


def test_noise_has_the_dtype_of_the_batch():
    for source in (None, torch.Generator(), [torch.Generator()]):
        assert noise_source(source)(torch.zeros(1, 2, dtype=torch.float64)).dtype == torch.float64


def test_noise_is_standard_normal():
    noise = noise_source(generators_from_seeds(range(4)))(torch.zeros(4, 20_000))
    assert noise.mean().abs() < 0.02 and (noise.std() - 1).abs() < 0.02


def test_wrong_number_of_generators_is_an_error():
    with pytest.raises(ValueError, match='got 2 for a batch of 3'):
        noise_source(generators_from_seeds([1, 2]))(torch.zeros(3, 1))


def test_generators_have_their_seeds():
    generators = generators_from_seeds(np.array([7, 2**40 + 1]))
    assert [one.initial_seed() for one in generators] == [7, 2**40 + 1]
    assert all(one.device.type == 'cpu' for one in generators)
    expected = torch.randn(5, generator=torch.Generator().manual_seed(7))
    assert torch.equal(noise_source(generators)(torch.zeros(2, 5))[0], expected)
