"""Adam, clipping and the average in two kernels against torch's.

Interpreted, this file is a program; the step that uses the kernels on a GPU is tested in test_graphed_step.py.
"""

import copy
import math
import re
from itertools import product
from types import SimpleNamespace

import pytest
import torch
from engine.toys import ToyModel
from support.triton_compiler import compile_for_hopper
from support.triton_interpreter import check_addresses, run_interpreted

from leokit.engine.cast_weights import CastWeights
from leokit.engine.ema_hook import EMAHook
from leokit.engine.fused_update import FusedUpdate, _settings, update_obstacle
from leokit.engine.optim_wrapper import AutocastOptimWrapper
from leokit.utils.triton import IS_INSTALLED

DECAY = 0.9
BLOCK, CHUNK = 128, 256  # smaller than on a GPU
SHAPES = [(3,), (9, 11), (CHUNK,), (2 * CHUNK + 70,), (), (2, 3, 4, 5)]  # parts of a chunk, exactly one, several
needs_triton = pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')


class Weights(torch.nn.Module):
    def __init__(self, dtype=torch.float32, shapes=SHAPES):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.list = torch.nn.ParameterList(torch.randn(shape, generator=generator).to(dtype) for shape in shapes)
        self.frozen = torch.nn.Parameter(torch.randn(7, generator=generator).to(dtype), requires_grad=False)
        self.register_buffer('statistics', torch.randn(5, generator=generator).to(dtype))
        self.register_buffer('count', torch.zeros((), dtype=torch.int64))


class Training:
    """Steps with given gradients; with kernels, or as torch and the hook take them."""

    def __init__(self, kind, *, fused, max_norm=None, dtype=torch.float32, shapes=SHAPES, tensors=None, **options):
        self.model, self.fused, self.max_norm, self.tensors = Weights(dtype, shapes), fused, max_norm, tensors
        weights = list(self.model.list)
        groups = [dict(params=weights[:2], lr=1.0), dict(params=weights[2:], lr=1.0, betas=(0.5, 0.95))]
        self.optimizer = kind(groups, foreach=False, fused=False, **options)
        self.ema, self.average_weight, self.rates = EMAHook(DECAY), torch.zeros(()), torch.zeros(2)
        self.ema.before_train(SimpleNamespace(model=self.model))
        self.update, self.norms, self.fused_steps = None, [], 0

    def step(self, iteration, spoil=None):
        generator = torch.Generator().manual_seed(100 + iteration)
        weights = list(self.model.list)
        for weight in weights:
            weight.grad = (torch.randn(weight.shape, generator=generator) * (1 + iteration % 3)).to(weight.dtype)
        if iteration % 4 == 2:
            weights[1].grad = None
        if spoil is not None:
            weights[2].grad[5] = spoil
        with torch.no_grad():
            self.model.statistics.add_(0.5)
            self.model.count.add_(1)
        for index, group in enumerate(self.optimizer.param_groups):
            group['lr'] = 1e-3 * (1 + iteration % 5) * (1 + index)
            self.rates[index] = group['lr']
        self.average_weight.fill_(1 - self.ema.decay_at(iteration))
        if self.update is None and self.fused:
            self.update = FusedUpdate(self.optimizer, self.rates, max_norm=self.max_norm,
                                      averages=self.ema.averages(self.model), average_weight=self.average_weight)
            if self.tensors is not None:
                of_update = self.update._rows
                self.update._rows = lambda: self.noted(of_update())
        if self.fused and self.update.is_ready():
            self.norms.append(self.update())
            self.fused_steps += 1
        else:
            if self.max_norm is not None:
                self.norms.append(torch.nn.utils.clip_grad_norm_(weights, self.max_norm))
            self.optimizer.step()
        self.ema.update(self.model, 1 - self.ema.decay_at(iteration), skip=self.update.averaged if self.fused else ())

    def noted(self, rows):
        self.tensors[:] = [tensor for row in rows for tensor in row.values() if isinstance(tensor, torch.Tensor)]
        return rows

    def state(self):
        state = {f'{part} {index}': values[part] for index, values in self.optimizer.state_dict()['state'].items()
                 for part in ('exp_avg', 'exp_avg_sq', 'step')}
        return {**state, **self.model.state_dict(), **{f'ema {key}': x for key, x in self.ema._averages.items()}}


def assert_same(one, other, tolerance=1e-6):
    """Relative to the largest element of each tensor; weights are NaN, and others not finite, at the same places."""
    expected = other.state()
    assert one.state().keys() == expected.keys()
    for key, tensor in one.state().items():
        found, wanted = tensor.double(), expected[key].double()
        if 'exp_avg' in key:  # of infinity, in one step or another, torch's moments are infinite or NaN
            found, wanted = found.nan_to_num(*[torch.nan] * 3), wanted.nan_to_num(*[torch.nan] * 3)
        atol = tolerance * float(wanted.nan_to_num(0).abs().max())
        torch.testing.assert_close(found, wanted, rtol=0, atol=atol, equal_nan=True,
                                   msg=lambda text, key=key: f'{key}: {text}')


def check_many_steps(kind, max_norm, weight_decay, tensors, eps=1e-8):
    options = dict(max_norm=max_norm, weight_decay=weight_decay, eps=eps)
    fused, usual = Training(kind, fused=True, tensors=tensors, **options), Training(kind, fused=False, **options)
    exact = Training(kind, fused=False, dtype=torch.float64, **options)
    for iteration in range(24):
        for training in (fused, usual, exact):
            training.step(iteration)
    assert fused.fused_steps == 23  # the optimizer makes its state in the first step
    assert_same(fused, exact, 2e-6)
    assert_same(fused, usual, 2e-6)
    assert fused.model.count == fused.ema._averages['count'] == 24
    assert {int(fused.optimizer.state[weight]['step']) for weight in fused.model.list} == {24, 18}
    if max_norm is None:
        assert fused.norms == [None] * 23
    else:
        torch.testing.assert_close(torch.stack(fused.norms), torch.stack(usual.norms), rtol=1e-6, atol=0)
        assert min(fused.norms) < max_norm < max(fused.norms)  # some steps are clipped, others are not


def check_resumes(tensors):
    """Torch's steps first, then the kernels', and the other way round, through a saved state."""
    usual = Training(torch.optim.Adam, fused=False, max_norm=60.0)
    for iteration in range(6):
        usual.step(iteration)
    for first, second in ((True, False), (False, True)):
        before = Training(torch.optim.Adam, fused=first, max_norm=60.0, tensors=tensors if first else None)
        for iteration in range(3):
            before.step(iteration)
        after = Training(torch.optim.Adam, fused=second, max_norm=60.0, tensors=tensors if second else None)
        after.optimizer.load_state_dict(copy.deepcopy(before.optimizer.state_dict()))
        after.model.load_state_dict(before.model.state_dict())
        after.ema._averages = copy.deepcopy(before.ema._averages)
        for iteration in range(3, 6):
            after.step(iteration)
        assert after.fused_steps == (3 if second else 0)  # at once, with the state that was loaded
        assert_same(after, usual)


def check_spoilt_gradients(tensors):
    for spoil, max_norm in product((float('nan'), float('inf'), -float('inf')), (None, 60.0)):
        fused, usual = (Training(torch.optim.Adam, fused=fused, max_norm=max_norm, tensors=tensors if fused else None)
                        for fused in (True, False))
        for iteration in range(3):
            for training in (fused, usual):
                training.step(iteration, spoil if iteration == 1 else None)
        assert fused.fused_steps == 2
        assert_same(fused, usual)
        spoilt = fused.model.list[3].isnan().all()
        assert spoilt if max_norm is not None and spoil != spoil else not fused.model.list[3].isnan().any()


def check_other_layouts(tensors):
    """Channels-last weights with gradients in the usual layout, and weights at odd addresses."""
    def prepared(fused):
        training = Training(torch.optim.AdamW, fused=fused, max_norm=20.0, weight_decay=0.1,
                            tensors=tensors if fused else None, shapes=[(3,), (2 * CHUNK + 9,), (9,), (4, 3, 5, 6)])
        last = training.model.list[3]
        last.data = last.data.contiguous(memory_format=torch.channels_last)
        odd = training.model.list[1]
        odd.data = torch.cat([torch.zeros(1), odd.data])[1:]
        assert odd.data_ptr() % 16 == 4 and odd.is_contiguous()
        training.ema._averages = {key: x.clone() for key, x in training.ema._weights(training.model).items()}
        return training

    fused, usual = prepared(True), prepared(False)
    for iteration in range(5):
        for training in (fused, usual):
            training.step(iteration)
    assert fused.fused_steps == 4
    assert_same(fused, usual)


def check_tied_weights(tensors):
    """A tensor with two names has two averages."""
    layer = torch.nn.Linear(4, 4, bias=False)
    model = torch.nn.ModuleDict(dict(one=layer, other=layer))
    hook, weight, rate = EMAHook(DECAY), torch.full((), 0.25), torch.full((1,), 0.1)
    hook.before_train(SimpleNamespace(model=model))
    start = layer.weight.detach().clone()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    update = FusedUpdate(optimizer, rate, averages=hook.averages(model), average_weight=weight)
    of_update = update._rows

    def noted():
        rows = of_update()
        tensors[:] = [tensor for row in rows for tensor in row.values() if isinstance(tensor, torch.Tensor)]
        return rows

    update._rows = noted
    expected = start.clone()
    for _ in range(2):
        layer.weight.grad = torch.ones(4, 4)
        if update.is_ready():
            update()
        else:
            optimizer.step()
        hook.update(model, weight, skip=update.averaged)
        expected += 0.25 * (layer.weight.detach() - expected)
    torch.testing.assert_close(layer.weight.detach(), start - 0.2)  # Adam's first steps are as long as the rate
    for name in ('one', 'other'):
        torch.testing.assert_close(hook._averages[f'{name}.weight'], expected)


@pytest.mark.slow
@needs_triton
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


@needs_triton
def test_versions_of_torch_without_a_flag_for_the_kind_of_weight_decay():
    group = dict(betas=(0.0, 0.75), eps=0.5, weight_decay=0.25)
    inner, outer = (_settings(kind([torch.nn.Parameter(torch.ones(1))]), group)
                    for kind in (torch.optim.Adam, torch.optim.AdamW))
    assert inner == [-math.inf, pytest.approx(math.log(0.75)), 1.0, 0.25, 0.5, 0.25, 0.0]
    assert outer == [*inner[:5], 0.0, 0.25]


@needs_triton
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('has_norm', [True, False])
def test_the_kernels_compile_for_hopper(aligned, has_norm):
    from leokit.engine import update_kernels as kernels
    common = dict(table='*i64', chunks='*i32', rates='*fp32', settings='*fp64', factors='*fp32', partials='*fp32')
    constants = dict(has_norm=has_norm, aligned=aligned, block=kernels.BLOCK)
    prepare = compile_for_hopper(kernels._prepare, common, dict(constants, chunk=kernels.NORM_CHUNK), num_warps=8)
    update = compile_for_hopper(
        kernels._update, dict(common, num_partials='i32', norm='*fp32', average_weight='*fp32', max_norm='fp32'),
        dict(constants, chunk=kernels.UPDATE_CHUNK), num_warps=8)
    # a thread reads four numbers of a tensor at once, and four of bfloat16 as two words
    assert ('ld.global.v4' in prepare) == (aligned and has_norm)
    assert len(re.findall(r'ld\.global\.v4', update)) == (5 if aligned else 0)
    assert len(re.findall(r'st\.global\.v4', update)) == (4 if aligned else 0)


def test_parameters_without_a_state_leave_the_step_to_the_optimizer():
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    update = FusedUpdate(optimizer, torch.ones(1))
    assert not update.is_ready()  # there are no gradients either
    model.weight.grad = torch.ones(2, 2)
    assert not update.is_ready()
    optimizer.step()
    assert update.is_ready()
    model.bias.grad = torch.ones(2)
    assert not update.is_ready()


@needs_triton
def test_a_capture_needs_a_table_from_before(monkeypatch):
    """Of all tensors that may change; with moments in the layout of the weights, as the graph keeps their addresses."""
    model = torch.nn.Conv2d(3, 4, 3)
    model.weight.data = model.weight.data.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters())
    moments = torch.randn(4, 3, 3, 3)
    optimizer.state[model.weight] = dict(exp_avg=moments, exp_avg_sq=moments.abs(), step=torch.ones(()))
    update = FusedUpdate(optimizer, torch.ones(1))
    update.reserve()
    state = optimizer.state[model.weight]
    assert state['exp_avg'].stride() == state['exp_avg_sq'].stride() == model.weight.stride()
    assert torch.equal(state['exp_avg'], moments) and update._reserved is not None
    update.complete()  # of a capture in which the optimizer stepped by itself
    assert update._reserved is None and not update._captured
    update.reserve()
    update.discard()
    assert update._reserved is None
    update._rates = SimpleNamespace(is_cuda=True, device=torch.device('cpu'))
    monkeypatch.setattr('torch.cuda.is_current_stream_capturing', lambda: True)
    with pytest.raises(RuntimeError, match='reserve'):
        update()


def test_until_then_parameters_get_the_gradients_of_their_copies():
    model = torch.nn.Linear(2, 3)
    model.autocast_layers = (torch.nn.Linear,)
    casts = CastWeights(model, torch.bfloat16)
    update = FusedUpdate(torch.optim.Adam(model.parameters()), torch.ones(1), casts=casts)
    weight, bias = casts.copy_of(model.weight), casts.copy_of(model.bias)
    weight.grad, model.weight.grad = torch.full_like(weight, 2), torch.ones(3, 2)  # used in both ways
    bias.grad = torch.full_like(bias, 3)
    assert not update.is_ready() and weight.grad is None and bias.grad is None
    assert model.weight.grad.dtype == model.bias.grad.dtype == torch.float32
    assert (model.weight.grad == 3).all() and (model.bias.grad == 3).all()


def test_the_wrapper_leaves_the_step_to_an_update_that_is_ready():
    wrapper = wrapper_of(torch.nn.Linear(2, 2), clip_grad=dict(max_norm=1.0))
    calls = []

    class Update:
        def __init__(self, ready):
            self.is_ready = lambda: ready

        def __call__(self):
            calls.append('fused')
            return torch.tensor(5.0)

    wrapper.optimizer.step = lambda: calls.append('optimizer')
    for update in (None, Update(False), Update(True)):
        wrapper.fused_update = update
        wrapper.step()
    assert calls == ['optimizer', 'optimizer', 'fused'] and wrapper.log_vars == dict(grad_norm=5)


# ---- where it is possible --------------------------------------------------------------------------------------------
def wrapper_of(model, kind=torch.optim.Adam, clip_grad=None, **options):
    return AutocastOptimWrapper(kind(model.parameters(), **options), clip_grad=clip_grad)


@pytest.mark.parametrize('options, obstacle', [
    (dict(), None), (dict(kind=torch.optim.AdamW, weight_decay=0.1), None), (dict(clip_grad=dict(max_norm=1.0)), None),
    (dict(clip_grad=dict(max_norm=1.0, norm_type=2.0)), None),
    (dict(clip_grad=dict(max_norm=1.0, norm_type=1)), 'clip_grad'),
    (dict(clip_grad=dict(type='value', clip_value=1.0)), 'clip_grad'),
    (dict(clip_grad=dict(max_norm=1.0, error_if_nonfinite=True)), 'clip_grad'),
    (dict(amsgrad=True), 'amsgrad=True'), (dict(maximize=True), 'maximize=True')])
def test_obstacles(options, obstacle, monkeypatch):
    monkeypatch.setattr('leokit.engine.fused_update.triton_obstacle', lambda: None)
    found = update_obstacle(wrapper_of(ToyModel(), **options))
    assert found is None if obstacle is None else obstacle in found


def test_obstacles_of_the_machine_and_of_weights(monkeypatch):
    monkeypatch.setattr('leokit.engine.fused_update.triton_obstacle', lambda: 'Triton is not installed')
    assert update_obstacle(wrapper_of(ToyModel())) == 'Triton is not installed'
    monkeypatch.setattr('leokit.engine.fused_update.triton_obstacle', lambda: None)
    assert 'not float32' in update_obstacle(wrapper_of(ToyModel().double()))
    model = ToyModel()
    model.view = torch.nn.Parameter(torch.ones(4, 6).T)
    assert 'views' in update_obstacle(wrapper_of(model))


if __name__ == '__main__':
    from leokit.engine import update_kernels
    update_kernels.BLOCK, update_kernels.UPDATE_CHUNK, update_kernels.NORM_CHUNK = BLOCK, CHUNK, BLOCK
    used: list[torch.Tensor] = []
    check_addresses(used)
    check_many_steps(torch.optim.Adam, 60.0, 0.0, used)
    check_many_steps(torch.optim.AdamW, 60.0, 0.1, used)
    check_many_steps(torch.optim.Adam, None, 0.1, used, eps=0.05)
    check_resumes(used)
    check_spoilt_gradients(used)
    check_other_layouts(used)
    check_tied_weights(used)
