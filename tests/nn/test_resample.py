import numpy as np
import pytest
import torch
from torch._subclasses import FakeTensorMode

from leokit.nn import blur, fir_kernel, resample, upfirdn2d_reference, upsample2x


@pytest.fixture
def image():
    return torch.randn(2, 3, 9, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def by_definition(image, up=1, down=1, pad=(0, 0), gain=1):
    """Zero insertion, padding, correlation and decimation in NumPy."""
    batch, channels, height, width = image.shape
    stuffed = np.zeros((batch, channels, height * up, width * up))
    stuffed[:, :, ::up, ::up] = image
    padded = np.pad(stuffed, ((0, 0), (0, 0), pad, pad))
    taps = np.array([1, 3, 3, 1]) / 8
    windows = np.lib.stride_tricks.sliding_window_view(padded, (4, 4), axis=(2, 3))
    return torch.from_numpy(gain * np.einsum('bchwij,i,j->bchw', windows, taps, taps)[:, :, ::down, ::down])


@pytest.mark.parametrize('options', [
    dict(), dict(up=2, pad=(2, 1), gain=4), dict(down=2, pad=(1, 2)), dict(up=3, down=2)])
def test_the_reference_is_the_definition(image, options):
    torch.testing.assert_close(upfirdn2d_reference(image, **options), by_definition(image.numpy(), **options))


@pytest.mark.parametrize('compiling', [False, True])
def test_the_blur_keeps_every_sample_and_the_mean_by_default(image, compiling, monkeypatch):
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: compiling)
    torch.testing.assert_close(blur(image, (2, 1)), by_definition(image.numpy(), pad=(2, 1)))


def test_kernel_sums_to_its_gain():
    assert fir_kernel().sum() == 1 and fir_kernel(4.0).sum() == 4
    torch.testing.assert_close(fir_kernel()[0] * 64, torch.tensor([1.0, 3.0, 3.0, 1.0]))


@pytest.mark.parametrize('pad', [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('compiling', [False, True])
def test_blur_equals_its_reference(image, pad, stride, compiling, monkeypatch):
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: compiling)
    fast = blur(image, pad, stride=stride, gain=4.0)
    torch.testing.assert_close(fast, upfirdn2d_reference(image, down=stride, pad=pad, gain=4.0))


def test_upsample_equals_its_reference(image):
    torch.testing.assert_close(upsample2x(image), upfirdn2d_reference(image, up=2, pad=(2, 1), gain=4.0))


def test_upsample_keeps_a_constant_inside():
    out = upsample2x(torch.ones(1, 1, 6, 6))
    torch.testing.assert_close(out[..., 1:-1, 1:-1], torch.ones(1, 1, 10, 10))


@pytest.mark.parametrize('shape, options, expected', [
    ((2, 3, 4, 5), {}, True), ((2, 3, 4, 5), dict(dtype=torch.bfloat16), True),
    ((2, 3, 4, 5), dict(dtype=torch.float16), True),
    ((2, 3, 4, 5), dict(dtype=torch.float64), False), ((2, 3, 4, 5), dict(device='cpu'), False),
    ((2, 3, 4, 5), dict(memory_format=torch.contiguous_format), False),
    ((2**13 - 1, 3, 2**8, 2**8), {}, True), ((2**13, 3, 2**8, 2**8), {}, False)])
def test_which_tensors_the_kernel_handles(shape, options, expected, monkeypatch):
    monkeypatch.setattr(resample, 'HAS_TRITON', True)
    options = dict(dict(device='cuda', memory_format=torch.channels_last), **options)
    with FakeTensorMode():  # shapes without memory
        x = torch.empty(shape, **options)
        assert resample._can_fuse(x) is expected
        monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)  # the layout is the compiler's
        in_any_layout = expected or options['memory_format'] == torch.contiguous_format
        assert resample._can_fuse(x) is (in_any_layout and resample.FUSED_WHEN_COMPILED)
        monkeypatch.setattr(resample, 'FUSED_WHEN_COMPILED', True)
        assert resample._can_fuse(x) is in_any_layout
        with torch.no_grad():
            assert not resample._can_fuse(x)
        monkeypatch.setattr(resample, 'HAS_TRITON', False)
        assert not resample._can_fuse(x)
