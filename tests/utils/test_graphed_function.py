"""Functions as CUDA graphs.

The tests on a GPU: python -m pytest tests/utils/test_graphed_function.py -m gpu --noconftest
"""

import copy
import pickle
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from leokit.models import MotionDiffusion
from leokit.samplers import DDIMSampler, DDPMSampler, DPMSolverPlusPlusSampler, EulerSampler, HeunSampler
from leokit.utils.graphed_function import MAX_GRAPHS, RepeatedCalls

gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')]
DEVICES = ['cpu', pytest.param('cuda', marks=gpu)]


class Doubler:
    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return 2 * x, x + 1


@pytest.mark.parametrize('device', DEVICES)
def test_results_are_those_of_the_function(device):
    function, calls = Doubler(), RepeatedCalls()
    results = [calls(function, (torch.full((3,), float(value), device=device),), 'double') for value in range(5)]
    assert [first.tolist() for first, _ in results] == [[2.0 * value] * 3 for value in range(5)]
    assert [second.tolist() for _, second in results] == [[value + 1.0] * 3 for value in range(5)]
    assert function.calls == (2 if device == 'cuda' else 5)  # once as it is, once for the capture


@pytest.mark.parametrize('device', DEVICES[1:])
def test_every_kind_and_shape_has_its_graph_and_few_are_kept(device):
    function, calls = Doubler(), RepeatedCalls()
    for size in range(1, MAX_GRAPHS + 3):
        for _ in range(3):
            assert torch.equal(calls(function, (torch.ones(size, device=device),), 'a')[0].cpu(), 2 * torch.ones(size))
    assert function.calls == 2 * (MAX_GRAPHS + 2) and len(calls._graphs) == MAX_GRAPHS
    calls(function, (torch.ones(2, device=device),), 'b')
    calls.clear()
    assert not calls._graphs


def test_copies_have_no_graphs():
    calls = RepeatedCalls()
    calls._graphs['kind'] = None
    assert not copy.deepcopy(calls)._graphs and not pickle.loads(pickle.dumps(calls))._graphs


@pytest.mark.parametrize('sampler, fits', [
    (DDIMSampler(4), True), (DDIMSampler(4, eta=1.0), False), (DDIMSampler(4, timestep_spacing='karras'), False),
    (DDPMSampler(), False), (DPMSolverPlusPlusSampler(4), True), (EulerSampler(4), True), (HeunSampler(4), False)])
def test_samplers_that_fit(sampler, fits):
    assert sampler.supports_cuda_graph == fits


class Graph:
    """In place of a CUDA graph: a replay does nothing, so the results remain those of the capture."""

    def replay(self):
        pass


@pytest.fixture
def captures(monkeypatch):
    """As if tensors were on a GPU; a capture runs the function, as there."""
    monkeypatch.setattr(torch.Tensor, 'is_cuda', property(lambda self: True))
    monkeypatch.setattr(torch.cuda, 'CUDAGraph', Graph)
    for name in ('graph', 'stream', 'device'):
        monkeypatch.setattr(torch.cuda, name, lambda *given, **options: nullcontext())
    for name in ('Stream', 'current_stream'):
        monkeypatch.setattr(torch.cuda, name, lambda *given: SimpleNamespace(wait_stream=lambda other: None))


@pytest.fixture
def compilations():
    """Graphs that torch.compile has given to its backend, and the backend."""
    torch._dynamo.reset()
    graphs = []
    yield graphs, lambda graph, inputs: graphs.append(graph) or graph.forward
    torch._dynamo.reset()


@pytest.mark.parametrize('step', [1, 2])
@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode])
def test_nothing_is_compiled_in_a_capture(captures, compilations, mode, step):
    """Within a capture, a compiler could not run kernels to choose among them."""
    graphs, backend = compilations
    torch.manual_seed(0)
    layer, calls = nn.Linear(4, 3), RepeatedCalls()
    compiled = torch.compile(layer, backend=backend)
    for _ in range(2):
        x = torch.randn(5, 4 * step)[:, ::step]  # of step 2, its clone has other strides
        with mode():
            result, = calls(lambda x: (compiled(x),), (x,), 'layer')
            torch.testing.assert_close(result, layer(x))
        assert len(graphs) == 1 and result.is_inference() is (mode is torch.inference_mode)
    graphed, = calls._graphs.values()
    assert isinstance(graphed._graph, Graph)


def test_nothing_is_compiled_in_the_capture_of_a_sampling_loop(captures, compilations):
    graphs, backend = compilations
    model = motion_diffusion()
    model.compile_parts(backend=backend)
    for _ in range(2):
        codes = model.sample(torch.randn(3, 4), noise=torch.randn(3, 7, 4), sampler=DDIMSampler(3))
        assert len(graphs) == 1 and not codes.is_inference()
    graphed, = model._repeated._graphs.values()
    assert isinstance(graphed._graph, Graph)


def motion_diffusion():
    torch.manual_seed(0)
    model = MotionDiffusion(4, 8, backbone=dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(1,),
                                                embedding_dim=16, head_dim=8)).eval()
    for weight in model.backbone.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.2)
    model.normalizer.set_statistics(torch.zeros(4), torch.ones(4), torch.ones(4))
    return model


def test_a_model_that_trains_or_makes_graphs_itself_is_not_replayed():
    model, sampler = motion_diffusion(), DDIMSampler(4)
    assert model.sampling_graphs(sampler) is model._repeated
    assert model.sampling_graphs(DDPMSampler()) is None and model.train().sampling_graphs(sampler) is None
    model.eval().compile_parts(mode='reduce-overhead')
    assert model.sampling_graphs(sampler) is None


def test_new_weights_clear_the_graphs():
    model = motion_diffusion()
    for change in (lambda: model.load_state_dict(model.state_dict()), model.double, lambda: model.compile_parts()):
        model._repeated._graphs['kind'] = None
        change()
        assert not model._repeated._graphs


@pytest.mark.parametrize('amp', [False, True])
@pytest.mark.parametrize('sampler', [DDIMSampler(10), DPMSolverPlusPlusSampler(6), EulerSampler(5)])
@pytest.mark.parametrize('device', DEVICES[1:])
def test_sampling_as_a_graph_gives_the_same_codes(device, sampler, amp):
    model = motion_diffusion().to(device)
    generator = torch.Generator().manual_seed(3)
    for _ in range(4):  # the third and fourth are replays with new noise
        start, noise = torch.randn(3, 4, generator=generator), torch.randn(3, 7, 4, generator=generator)
        with torch.autocast(device, torch.bfloat16, enabled=amp):
            found = model.sample(start.to(device), noise=noise.to(device), sampler=sampler)
            model._makes_graphs = False
            expected = model.sample(start.to(device), noise=noise.to(device), sampler=sampler)
            model._makes_graphs = True
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-2 if amp else 1e-4)
    assert [graph._graph is not None for graph in model._repeated._graphs.values()] == [True]
