import copy

import torch

from leokit.utils.cuda_graphs import GraphedScalar


def distance(a, b):
    return (a - b).square().mean() + a.sin().sum()


def inputs(device='cpu', **options):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 4, generator=generator, **options).to(device) for _ in range(2))
    return a.requires_grad_(), b


def test_without_cuda_the_function_is_called():
    calls = []
    replayed = GraphedScalar(lambda a, b: calls.append(1) or distance(a, b))
    a, b = inputs()
    replayed(a, b).backward()
    assert len(calls) == 1 and a.grad is not None
    with torch.no_grad():
        assert not replayed(a, b).requires_grad
    assert copy.deepcopy(replayed)._captures == {}
