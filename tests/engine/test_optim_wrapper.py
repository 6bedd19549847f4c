import pytest
import torch
from torch import nn

from leokit.engine import AutocastOptimWrapper


class Probe(nn.Linear):
    """Remembers in which type it computed."""

    def forward(self, x):
        self.result = super().forward(x)
        return self.result


def wrapped(**options):
    torch.manual_seed(0)
    model = Probe(3, 2)
    return model, AutocastOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), **options)


def step(model, wrapper, x):
    with wrapper.optim_context(model):
        loss = model(x).float().square().mean()
    wrapper.update_params(loss)


@pytest.mark.parametrize('dtype', ['bfloat16', 'float32'])
def test_the_forward_pass_runs_in_the_dtype_and_weights_stay_float32(dtype):
    model, wrapper = wrapped(dtype=dtype)
    before = model.weight.detach().clone()
    step(model, wrapper, torch.ones(4, 3))
    assert model.result.dtype == getattr(torch, dtype)
    assert model.weight.dtype == torch.float32 and not torch.equal(model.weight, before)


def test_accumulated_half_batches_equal_the_whole_batch():
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    whole, wrapper = wrapped(dtype='float32')
    step(whole, wrapper, x)
    halves, wrapper = wrapped(dtype='float32', accumulative_counts=2)
    step(halves, wrapper, x[:4])
    assert not wrapper.should_update()
    step(halves, wrapper, x[4:])
    torch.testing.assert_close(halves.weight, whole.weight)


def test_the_gradient_norm_is_clipped_and_kept_as_a_tensor():
    model, wrapper = wrapped(dtype='float32', clip_grad=dict(max_norm=1e-3))
    before = model.weight.detach().clone()
    step(model, wrapper, torch.full((4, 3), 9.0))
    assert wrapper.log_vars['grad_norm'] > 1
    assert (model.weight - before).norm() <= 0.1 * 1.001e-3


def test_an_unknown_dtype_is_an_error():
    with pytest.raises(ValueError, match="dtype must be one of bfloat16, float32, got 'float16'"):
        wrapped(dtype='float16')
