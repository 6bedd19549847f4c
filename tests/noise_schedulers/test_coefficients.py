"""The table of coefficients holds, bit for bit, what the levels and rates of a time give."""

import copy

import pytest
import torch

from leokit.noise_schedulers import (
    DATA_TIME, CosineNoiseScheduler, EDMNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler)

PROCESSES = {
    'linear': LinearNoiseScheduler(1000), 'terminal': LinearNoiseScheduler(50, rescale_zero_terminal_snr=True),
    'cosine': CosineNoiseScheduler(100), 'edm': EDMNoiseScheduler(40), 'flow': FlowMatchingScheduler(1000, shift=2.0),
}
TYPES = [torch.float32, torch.float64, torch.bfloat16]


@pytest.fixture(params=PROCESSES)
def process(request):
    return copy.deepcopy(PROCESSES[request.param])


@pytest.mark.parametrize('dtype', TYPES)
def test_all_times_and_the_data(process, dtype):
    times = torch.arange(DATA_TIME, process.num_train_timesteps)
    like = torch.zeros(len(times), 3, 2, dtype=dtype)
    expected = (process.signal_level(times).sqrt(), process.noise_level(times).sqrt(),
                *process.velocity_coefficients(times))
    got = process.coefficients(times, like)
    assert len(got) == 4
    for value, reference in zip(got, expected):
        assert value.shape == (len(times), 1, 1) and value.dtype == dtype
        assert torch.equal(value.flatten(), reference.to(dtype))


def test_values_of_flow_matching():
    """s = (t + 1) / 4: alpha = 1 - s, sigma = s, their derivatives -1 and 1; the data has s = 0."""
    got = FlowMatchingScheduler(4).coefficients(torch.tensor([-1, 0, 2, 3]), torch.zeros(4, 5))
    assert torch.stack(got)[..., 0].tolist() == [[1, 0.75, 0.25, 0], [0, 0.25, 0.75, 1], [-1] * 4, [1] * 4]


def test_a_table_that_inference_made_serves_training(process):
    x, t = torch.randn(2, 3), torch.tensor([0, 5])
    with torch.inference_mode():
        process.add_noise(x, x, t)
    x.requires_grad_()
    process.x0_from_eps(x, 2 * x, t).square().sum().backward()
    assert x.grad.abs().sum() > 0


def test_a_cast_of_the_model_leaves_the_table(process):
    x, t = torch.zeros(2, 3), torch.tensor([1, 4])
    before = process.coefficients(t, x)
    process.to(torch.bfloat16)
    for value, reference in zip(process.coefficients(t, x), before):
        assert torch.equal(value, reference)


def test_compiled_code_computes_the_same(process):
    x, t = torch.randn(3, 4), torch.tensor([DATA_TIME, 0, 7])
    compiled = torch.compile(lambda x, t: process.add_noise(x, 2 * x, t), fullgraph=True, backend='eager')
    assert torch.equal(compiled(x, t), process.add_noise(x, 2 * x, t))
    torch.compiler.reset()


def test_one_kernel_gathers_all_four(process):
    """After the first call, a conversion costs one operation on the table besides views."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Operations(TorchDispatchMode):
        names: list[str] = []

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.names.append(function.overloadpacket.__name__)
            return function(*args, **(kwargs or {}))

    x, t = torch.zeros(2, 3), torch.tensor([1, 4])
    process.coefficients(t, x)
    with Operations() as operations:
        process.coefficients(t, x)
    assert [name for name in operations.names if name not in ('unbind', 'view', 'select')] == ['index']
