"""Weights are cast once per loop under autocast, with the numbers of a cast in every call."""

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from leokit.models import MotionDiffusion

N, STEPS = 3, 3
UNET = dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(1, ), embedding_dim=16, head_dim=8,
            control_dim=0)
BACKBONES = {
    'unet': UNET, 'transformer': dict(type='MotionTransformer', dim=16, depth=2, head_dim=8),
    'convolutions': dict(type='TemporalConvNet', channels=16, depth=2, embedding_dim=16),
}


class Casts(TorchDispatchMode):
    """Counts casts of the given tensors, by their shape."""

    def __init__(self, shapes):
        super().__init__()
        self.shapes, self.count = shapes, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.ops.aten._to_copy.default and kwargs.get('dtype') == torch.bfloat16:
            self.count += tuple(args[0].shape) in self.shapes
        return function(*args, **kwargs)


@pytest.fixture(params=BACKBONES)
def model(request):
    torch.manual_seed(0)
    model = MotionDiffusion(N, 6, backbone=BACKBONES[request.param],
                            sampler=dict(type='DDIMSampler', num_inference_steps=STEPS)).eval()
    model.normalizer.set_statistics([0.0] * N, [1.0] * N, residual_std=[1.0] * N)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return model.requires_grad_(False)  # autocast keeps casts of weights that need gradients itself


def sample(model, steps=STEPS, autocast=True):
    generator = torch.Generator().manual_seed(1)
    start, noise = (torch.randn(shape, generator=generator) for shape in ((2, N), (2, 5, N)))
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        return model.sample(start, noise=noise, sampler=dict(type='DDIMSampler', num_inference_steps=steps))


def without_copy(model, monkeypatch, **options):
    with monkeypatch.context() as patch:
        patch.setattr(type(model.backbone), 'autocast_layers', ())
        return sample(model, **options)


def test_the_numbers_are_those_of_casts_in_every_call(model, monkeypatch):
    expected = without_copy(model, monkeypatch)
    assert torch.equal(sample(model), expected)
    assert not torch.equal(expected, sample(model, autocast=False))


def test_weights_are_cast_once_per_loop(model, monkeypatch):
    shapes = {tuple(p.shape) for name, p in model.backbone.named_parameters() if name.endswith('weight') and p.ndim > 1}
    counts = {}
    for steps in (1, 4):
        with Casts(shapes) as casts:
            sample(model, steps)
        counts[steps] = casts.count
        with Casts(shapes) as casts:
            without_copy(model, monkeypatch, steps=steps)
        counts[-steps] = casts.count
    assert counts[4] == counts[1] > 0
    assert counts[-4] == 4 * counts[-1] > 0


def test_new_weights_are_used(model):
    before = sample(model)
    saved = copy.deepcopy(model.state_dict())
    for parameter in model.backbone.parameters():
        parameter.mul_(1.5)
    changed = sample(model)
    assert not torch.equal(changed, before)
    model.load_state_dict(saved, assign=True)
    assert torch.equal(sample(model), before)
    twin = copy.deepcopy(model)
    assert torch.equal(sample(twin), before)


def test_the_network_is_left_as_it_is(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sample(model)
    assert {name: value.dtype for name, value in model.state_dict().items()} == {
        name: value.dtype for name, value in before.items()}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(not name.startswith('_autocast_copy') for name, _ in model.named_modules())


def test_without_autocast_there_is_no_copy(model):
    sample(model, autocast=False)
    assert model._autocast_copy(model.backbone, torch.device('cpu')) is model.backbone


def test_a_compiled_copy_is_compiled_once(model):
    graphs = []

    def backend(graph, example_inputs):
        graphs.append(graph)
        return graph.forward

    expected = sample(model)
    model.compile_parts(fullgraph=True, backend=backend)
    for _ in range(3):
        assert torch.allclose(sample(model), expected, atol=1e-2)
    assert len(graphs) == 1
    torch.compiler.reset()
