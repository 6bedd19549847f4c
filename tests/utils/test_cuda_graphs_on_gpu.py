"""Captured losses on a GPU: python -m pytest tests/utils/test_cuda_graphs_on_gpu.py -m gpu --noconftest"""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from leokit.models import Animator
from leokit.nn.face_regions import boxes_to_maps
from leokit.registry import LOSSES
from leokit.utils.cuda_graphs import GraphedScalar

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')]

SIZE = 32


def distance(a, b):
    return (a - b).square().mean() + a.sin().sum()


def random(*shape, seed=0, **options):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **options).cuda()


class Counted:
    """A function that counts its calls; a replay does not call it."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *inputs):
        self.calls += 1
        return self.function(*inputs)


def value_and_gradient(function, a, *rest):
    """Of twice the function: the incoming gradient is not 1."""
    leaf = a.detach().clone().requires_grad_()
    value = 2 * function(leaf, *rest)
    value.backward()
    return value.detach(), leaf.grad


def assert_replay_equals_eager(graphed, eager, *inputs):
    for got, wanted in zip(value_and_gradient(graphed, *inputs), value_and_gradient(eager, *inputs)):
        torch.testing.assert_close(got, wanted)


def test_one_capture_serves_all_inputs_of_a_shape():
    counted = Counted(distance)
    graphed = GraphedScalar(counted)
    calls = []
    for seed in range(5):
        assert_replay_equals_eager(graphed, distance, random(3, 4, seed=seed), random(3, 4, seed=9 - seed))
        calls.append(counted.calls)
    assert len(graphed._captures) == 1
    assert calls[0] > 1 and set(calls[1:]) == {calls[0]}  # warm-up and capture, then replays only


def test_the_known_value_and_gradient():
    graphed = GraphedScalar(lambda x: (3 * x.square()).sum())
    for values in ((1., 2.), (-1., 0.5)):
        value, gradient = value_and_gradient(graphed, torch.tensor(values, device='cuda'))
        assert value.item() == 2 * 3 * (values[0]**2 + values[1]**2)
        assert gradient.tolist() == [12 * values[0], 12 * values[1]]


def test_values_outlive_later_replays():
    graphed = GraphedScalar(lambda x: x.sum())
    values = []
    for number in range(4):
        values.append(graphed(torch.full((2,), float(number), device='cuda', requires_grad=True)).detach())
    assert [value.item() for value in values] == [0, 2, 4, 6]


def test_each_shape_dtype_and_precision_has_a_capture():
    graphed = GraphedScalar(distance)
    for shape in ((3, 4), (5, 4), (3, 4), (2, 3, 4), (5, 4)):
        assert_replay_equals_eager(graphed, distance, random(*shape), random(*shape, seed=1))
    assert len(graphed._captures) == 3
    assert_replay_equals_eager(graphed, distance, random(3, 4, dtype=torch.float64), random(3, 4, dtype=torch.float64))
    assert len(graphed._captures) == 4
    with torch.autocast('cuda', dtype=torch.bfloat16):
        assert_replay_equals_eager(graphed, distance, random(3, 4), random(3, 4, seed=1))
    assert len(graphed._captures) == 5


def test_the_second_input_may_require_the_gradient_instead():
    graphed = GraphedScalar(distance)
    assert_replay_equals_eager(graphed, distance, random(3, 4), random(3, 4, seed=1))
    assert_replay_equals_eager(
        lambda b, a: graphed(a, b), lambda b, a: distance(a, b), random(3, 4), random(3, 4, seed=1))
    assert len(graphed._captures) == 2


def test_inputs_may_be_views_of_any_layout():
    graphed = GraphedScalar(distance)
    a, b = random(4, 3), random(3, 4, seed=1)
    assert_replay_equals_eager(graphed, distance, a.t(), b)
    assert_replay_equals_eager(graphed, distance, random(3, 8)[:, ::2], random(1, 4).expand(3, 4))


@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_weights_that_change_in_place_are_seen(dtype):
    network = nn.Linear(4, 3).cuda().requires_grad_(False)

    def function(x):
        return network(x).float().square().mean()

    graphed = GraphedScalar(function)
    with torch.autocast('cuda', dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        before = graphed(random(2, 4).requires_grad_()).item()
        assert_replay_equals_eager(graphed, function, random(2, 4))
        network.weight.mul_(-2).add_(0.5)
        assert_replay_equals_eager(graphed, function, random(2, 4))
        network.load_state_dict({name: value + 1 for name, value in network.state_dict().items()})
        assert_replay_equals_eager(graphed, function, random(2, 4))
        assert graphed(random(2, 4).requires_grad_()).item() != before
    assert len(graphed._captures) == 1


def test_the_random_state_advances_with_every_replay():
    graphed = GraphedScalar(lambda x: F.dropout(x, 0.5).sum())
    x = random(64)
    value_and_gradient(graphed, x)  # captures

    def draw():
        torch.cuda.manual_seed(7)
        draws, states = [], []
        for _ in range(3):
            value, gradient = value_and_gradient(graphed, x)
            # the gradient belongs to the drawn mask: factor 2, and 2 of a kept element
            assert set(gradient.tolist()) == {0.0, 4.0}
            torch.testing.assert_close(value, (x * gradient).sum())
            draws.append(tuple(gradient.tolist()))
            states.append(tuple(torch.cuda.get_rng_state().tolist()))
        return draws, states

    draws, states = draw()
    assert len(set(draws)) == len(set(states)) == 3
    assert draw() == (draws, states)


def test_without_a_gradient_the_function_is_called():
    counted = Counted(distance)
    graphed = GraphedScalar(counted)
    with torch.no_grad():
        graphed(random(3, 4).requires_grad_(), random(3, 4))
    graphed(random(3, 4), random(3, 4))
    assert counted.calls == 2 and not graphed._captures


def test_a_copy_captures_anew():
    graphed = GraphedScalar(distance)
    assert_replay_equals_eager(graphed, distance, random(3, 4), random(3, 4, seed=1))
    twin = copy.deepcopy(graphed)
    assert not twin._captures
    assert_replay_equals_eager(twin, distance, random(3, 4, seed=2), random(3, 4, seed=3))


@pytest.mark.parametrize('loss', [dict(type='FaceRegionLoss'), dict(
    type='FaceCropPerceptualLoss', crop_size=32, backbone=dict(type='EfficientNetLite0Features'))])
def test_losses_on_regions_are_captured(loss):
    loss = LOSSES.build(loss).cuda()
    graphed = GraphedScalar(loss)
    for seed in range(3):
        driving, prediction = (random(2, 3, 64, 64, seed=2 * seed + i).tanh() for i in range(2))
        regions = boxes_to_maps(torch.tensor([0.2, 0.3, 0.7, 0.6]).repeat(2, 4, 1)).cuda()
        regions[seed % 2, seed] = torch.nan

        def of_the_prediction(image):
            return graphed(driving, image, regions)

        for got, wanted in zip(value_and_gradient(of_the_prediction, prediction),
                               value_and_gradient(lambda image: loss(driving, image, regions), prediction)):
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)
    assert len(graphed._captures) == 1


# ---- a training ----------------------------------------------------------------
def build() -> Animator:
    torch.manual_seed(0)
    return Animator(
        SIZE, 16, motion_dim=4, max_channels=8, data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'),
        encoder=dict(type='LIAEncoder', init='reference'),
        flow_generator=dict(type='LIAFlowGenerator', init='reference'),
        training=dict(losses=[dict(type='L1Loss'), dict(type='WarpedSourceLoss', weight=0.5),
                              dict(type='ChangedPixelLoss', weight=0.2)])).cuda()


def losses_and_gradient(animator: Animator, step: int) -> tuple[dict[str, float], torch.Tensor]:
    """Of the pair of a step; the gradients stay in the parameters, as copies that no other animator overwrites."""
    pair = {key: random(4, 3, SIZE, SIZE, seed=2 * step + i).tanh() for i, key in enumerate(('source', 'driving'))}
    animator.zero_grad()
    terms = animator(pair, mode='loss')
    sum(terms.values()).backward()
    weights = [weight for weight in animator.parameters() if weight.grad is not None]
    for weight in weights:
        weight.grad = weight.grad.clone()
    return ({name: term.item() for name, term in terms.items()},
            torch.cat([weight.grad.flatten() for weight in weights]))


@pytest.mark.parametrize('options', [dict(backend='aot_eager'), dict(mode='reduce-overhead')])
@pytest.mark.timeout(900)  # 'reduce-overhead' compiles for minutes
def test_a_training_with_captured_losses_equals_one_without(options, monkeypatch):
    """In every step at the same weights: trainings of their own drift apart.

    A relative change of the weights by 1e-6 changes the sum of four such steps by 27 %.
    """
    monkeypatch.setattr(torch.backends.cuda.matmul, 'allow_tf32', False)
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    captured, plain, eager = build(), build(), build()
    captured.compile_parts(**options)
    plain.compile_parts(**options)
    plain._graphed = []
    optimizer = torch.optim.SGD(captured.parameters(), 0.3)
    gradients = []
    for step in range(4):
        for other in (plain, eager):
            other.load_state_dict(captured.state_dict())
        losses, gradient = losses_and_gradient(captured, step)
        for other, tolerance in ((plain, 1e-4), (eager, 2e-2)):
            # the gradient of an absolute error is a sign, which the rounding of another kernel may flip
            expected, wanted = losses_and_gradient(other, step)
            assert losses == pytest.approx(expected, rel=1e-4)
            assert (gradient - wanted).norm() < tolerance * wanted.norm()
        gradients.append(gradient)
        optimizer.step()
    assert [len(graphed._captures) for graphed in captured._graphed] == [1, 1, 1]
    for before, after in pairwise(gradients):  # one that is replayed without its new inputs would be noticed
        assert (after - before).norm() > 0.1 * before.norm()
