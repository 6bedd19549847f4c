from itertools import product

import pytest
import torch
from support.triton_interpreter import check_addresses, run_interpreted
from torch._subclasses import FakeTensorMode
from torch.nn import functional as F

from leokit.feature_extractors.depthwise import FusedDepthwise, depthwise_relu6
from leokit.utils.triton import IS_INSTALLED


def same_padding(x, kernel, stride):
    """TensorFlow's rule, written for the test: outputs are ceil(n / stride)."""
    pads = []
    for n in x.shape[:1:-1]:  # width first, as F.pad wants it
        total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def plain(x, weight, bias, stride):
    """One convolution per channel; without the last activation."""
    x = x.clamp(0, 6)
    kernel = round(len(weight) ** 0.5)
    maps = [F.conv2d(same_padding(x[:, [channel]], kernel, stride),
                     weight[:, channel].reshape(1, 1, kernel, kernel), stride=stride) for channel in range(x.shape[1])]
    return torch.cat(maps, 1) + bias.view(1, -1, 1, 1)


def check(function, *, channels, kernel, stride, side, dtype=torch.float32, device='cpu', tolerance=1e-5):
    generator = torch.Generator().manual_seed(0)
    inputs = 4 * torch.randn(2, channels, side, side + 1, generator=generator)
    weight, bias = (0.5 * torch.randn(*shape, generator=generator) for shape in ((kernel ** 2, channels), (channels,)))
    # copies, since .to() may return the same tensor, whose gradient would be compared with itself
    x, y = (inputs.to(dtype).to(*kind, copy=True).requires_grad_() for kind in ((device,), (torch.float32,)))
    out = function(x, weight.to(device), bias.to(device), stride)
    linear = plain(y, weight, bias, stride)
    wanted = linear.clamp(0, 6)
    assert out.dtype == dtype
    torch.testing.assert_close(out.cpu().float(), wanted, atol=6 * tolerance, rtol=tolerance)
    assert side < 7 or ((wanted == 0).any() and (wanted == 6).any())  # both bounds are reached
    # within rounding of a bound, either gradient of the activation is right
    is_clear = away_from_bounds(linear.detach(), 6 * tolerance)
    grad = torch.randn(wanted.shape, generator=generator).to(dtype) * is_clear
    assert grad.count_nonzero() > 0.7 * grad.numel()
    out.backward(grad.to(device))
    wanted.backward(grad.float())
    is_clear = away_from_bounds(y.detach(), 0)
    torch.testing.assert_close(x.grad.cpu().float() * is_clear, y.grad * is_clear, atol=6 * tolerance, rtol=tolerance)


def away_from_bounds(values, margin):
    return (values.abs() > margin) & ((values - 6).abs() > margin)


@pytest.mark.parametrize('side', [1, 2, 7, 8])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel', [3, 5])
def test_equals_the_plain_convolution_in_both_directions(side, stride, kernel):
    check(depthwise_relu6, channels=40, kernel=kernel, stride=stride, side=side)


def test_it_computes_in_the_type_of_its_input():
    x = torch.randn(1, 4, 5, 5)
    weight, bias = torch.randn(9, 4), torch.randn(4)
    assert depthwise_relu6(x.bfloat16(), weight, bias, 1).dtype == torch.bfloat16
    assert depthwise_relu6(x.double(), weight, bias, 1).dtype == torch.float64


@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
@pytest.mark.parametrize('elements, device, compiling, is_fused', [
    (2**31 - 1, 'cuda', False, True), (2**31, 'cuda', False, False),  # the largest int32 is the first number
    (64, 'cuda', False, True), (64, 'cuda', True, False), (64, 'cpu', False, False)])
def test_when_it_is_one_kernel(elements, device, compiling, is_fused, monkeypatch):
    calls = []
    monkeypatch.setattr(FusedDepthwise, 'apply', lambda x, *others: calls.append(x) or x)
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: compiling)
    with FakeTensorMode():  # shapes without memory
        x, weight, bias = (torch.empty(shape, device=device) for shape in ((1, 1, 1, elements), (9, 1), (1,)))
        assert depthwise_relu6(x, weight, bias, 1).shape == x.shape
    assert len(calls) == is_fused


@pytest.mark.gpu
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel', [3, 5])
@pytest.mark.parametrize('dtype, tolerance', [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_the_kernels_on_a_gpu(stride, kernel, dtype, tolerance):
    for channels, side in ((6, 1), (70, 9), (64, 32)):
        check(depthwise_relu6, channels=channels, kernel=kernel, stride=stride, side=side, dtype=dtype, device='cuda',
              tolerance=tolerance)


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


if __name__ == '__main__':
    check_addresses()
    for kernel, stride, (channels, side) in product((3, 5), (1, 2), ((6, 1), (70, 7))):
        check(FusedDepthwise.apply, channels=channels, kernel=kernel, stride=stride, side=side)
    check(FusedDepthwise.apply, channels=70, kernel=3, stride=2, side=9, dtype=torch.bfloat16, tolerance=0.02)
