import torch

from leokit.noise_schedulers.coupling import couple_noise


def test_squared_distances_are_minimized():
    """In order the squared distances are 1.25 + 1, exchanged 4.25 + 0; the distances would be 2.12 and 2.06."""
    data, noise = torch.tensor([[0.0, 0.5], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    assert torch.equal(couple_noise(data, noise), noise)
    assert torch.equal(couple_noise(data, noise.flip(0)), noise)


def test_each_noise_belongs_to_one_sample():
    generator = torch.Generator().manual_seed(0)
    data, noise = torch.randn(2, 8, 3, 2, generator=generator).unbind()
    coupled = couple_noise(data, noise)
    assert coupled.shape == noise.shape
    assert sorted(coupled.flatten(1).tolist()) == sorted(noise.flatten(1).tolist())
    assert (coupled - data).square().sum() < (noise - data).square().sum()
