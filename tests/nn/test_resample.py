import pytest
import torch

from leokit.nn import blur, fir_kernel, upfirdn2d_reference, upsample2x


@pytest.fixture
def image():
    return torch.randn(2, 3, 9, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


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
