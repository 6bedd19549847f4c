from itertools import product

import pytest
import torch
from support.triton_interpreter import check_addresses, run_interpreted
from torch._subclasses import FakeTensorMode

from leokit.discriminators import StyleGAN2Discriminator
from leokit.losses import R1Penalty
from leokit.nn import blur, upfirdn2d_reference
from leokit.nn.fused_filter import fused_filter
from leokit.utils.triton import IS_INSTALLED

PADS, STRIDES = ((1, 1), (2, 2), (2, 1)), (1, 2)


def derivatives(function, x):
    """Result, its gradient and a gradient of that; none of them is linear in x."""
    out = function(x)
    first, = torch.autograd.grad(out.sin().sum(), x, create_graph=True)
    second, = torch.autograd.grad(first.pow(3).sum(), x)
    return [tensor.detach().double().cpu() for tensor in (out, first, second)]


def fused(x, pad, stride, gain):
    size = [(length + sum(pad) - 4) // stride + 1 for length in x.shape[2:]]
    return fused_filter(x, size, down=stride, pad=pad[0], gain=gain)


def check(function, shape, pad, stride, device='cpu'):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(
        device, memory_format=torch.channels_last).requires_grad_()
    y = x.detach().double().cpu().requires_grad_()
    got = derivatives(lambda x: function(x, pad, stride=stride, gain=3.0), x)
    wanted = derivatives(lambda y: upfirdn2d_reference(y, down=stride, pad=pad, gain=3.0), y)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_shape_type_and_layout_of_the_result_without_data(dtype):
    with FakeTensorMode():
        out = torch.ops.leokit.fir_filter(torch.empty(2, 3, 5, 6, dtype=dtype, device='cuda'), 10, 12, 2, 1, 2, 4.0)
    assert out.shape == (2, 3, 10, 12) and out.dtype == dtype and out.is_cuda
    assert out.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_the_kernel_in_the_interpreter():
    run_interpreted(__file__)


@pytest.mark.gpu
@pytest.mark.parametrize('pad', PADS)
@pytest.mark.parametrize('stride', STRIDES)
def test_the_kernel_on_a_gpu(pad, stride):
    for shape in ((2, 3, 9, 12), (3, 40, 33, 16), (2, 64, 64, 64)):
        check(blur, shape, pad, stride, 'cuda')
        x = torch.randn(*shape, device='cuda').bfloat16().contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(blur(x, pad, stride=stride).double(),
                                   upfirdn2d_reference(x.double(), pad=pad, down=stride), rtol=4e-3, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.timeout(300)
@pytest.mark.parametrize('pad, stride', [((1, 1), 2), ((2, 2), 1)])
def test_the_compiled_kernel_on_a_gpu(pad, stride, monkeypatch):
    monkeypatch.setattr('leokit.nn.resample.FUSED_WHEN_COMPILED', True)
    x = torch.randn(2, 64, 33, 32).cuda().contiguous(memory_format=torch.channels_last).requires_grad_()
    compiled = torch.compile(lambda x: blur(x.sin(), pad, stride=stride).cos().sum(), fullgraph=True)
    gradient, = torch.autograd.grad(compiled(x), x)
    y = x.detach().double().requires_grad_()
    wanted, = torch.autograd.grad(upfirdn2d_reference(y.sin(), pad=pad, down=stride).cos().sum(), y)
    torch.testing.assert_close(gradient.double(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
def test_the_penalty_of_the_kernel_is_that_of_the_slices(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    torch.manual_seed(0)
    network = StyleGAN2Discriminator(64, max_channels=32).cuda()
    images = torch.randn(4, 3, 64, 64).cuda().contiguous(memory_format=torch.channels_last)
    results = []
    for is_fused in (True, False):
        if not is_fused:
            monkeypatch.setattr('leokit.nn.resample._can_fuse', lambda x: False)
        network.zero_grad()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            loss = R1Penalty(2.0)(network, images)
            loss.backward()
        assert ('_filter' in {event.name for event in profile.events()}) == is_fused
        results.append([loss.detach(), *(x.grad.clone() for x in network.parameters() if x.grad is not None)])
    assert len(results[0]) == len(results[1]) > 10
    for one, other in zip(*results):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))


if __name__ == '__main__':
    check_addresses()
    for pad, stride in product(PADS, STRIDES):
        for shape in ((2, 3, 9, 12), (2, 40, 10, 5)):
            check(fused, shape, pad, stride)
    # zero insertion, and the operator as PyTorch wants it
    x = torch.randn(2, 3, 5, 6, requires_grad=True)
    torch.testing.assert_close(fused_filter(x, (10, 12), up=2, pad=2, gain=4.0),
                               upfirdn2d_reference(x, up=2, pad=(2, 1), gain=4.0))
    torch.library.opcheck(torch.ops.leokit.fir_filter, (x, 10, 12, 2, 1, 2, 4.0))
    compiled = torch.compile(lambda x: fused(x, (1, 1), 2, 1.0).sin().sum(), fullgraph=True, backend='aot_eager')
    torch.testing.assert_close(torch.autograd.grad(compiled(x), x),
                               torch.autograd.grad(fused(x, (1, 1), 2, 1.0).sin().sum(), x))
