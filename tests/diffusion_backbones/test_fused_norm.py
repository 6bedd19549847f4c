import copy
import pickle
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from support.triton_compiler import compile_for_hopper
from support.triton_interpreter import check_addresses, run_interpreted
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from leokit.diffusion_backbones import UNet1D
from leokit.diffusion_backbones.fused_norm import can_fuse, fused_norm
from leokit.diffusion_backbones.unet_1d import TemporalGroupNorm
from leokit.utils import UserError
from leokit.utils.triton import IS_INSTALLED

needs_triton = pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
OPTIONS = dict(channels=(16, 24), num_blocks=1, attention_levels=(1,), embedding_dim=16, head_dim=8)


def plain(x, gain, shift, groups, eps, one_plus, silu, taps):
    """The definition: mean and variance of (B, T, G, C/G) over frames and channels, slices of a padded sequence.

    ``F.group_norm`` refuses groups of one element in a batch of one.
    """
    grouped = x.unflatten(-1, (groups, -1))
    centered = grouped - grouped.mean((1, 3), keepdim=True)
    y = (centered / (centered.square().mean((1, 3), keepdim=True) + eps).sqrt()).flatten(2)
    y = y * (gain[:, None] + one_plus) + shift[:, None]
    y = F.silu(y) if silu else y
    reach = taps // 2
    padded = F.pad(y, (0, 0, reach, reach))
    return torch.cat([padded[:, k:k + x.shape[1]] for k in range(taps)], dim=-1)


def check(shape, groups, *, shared, one_plus, silu, taps, dtype=torch.float32, device='cpu', tolerance=1e-5):
    generator = torch.Generator().manual_seed(0)
    batch, frames, channels = shape
    modulation = torch.randn(1 if shared else batch, 2 * channels + 3, generator=generator)
    inputs = torch.randn(*shape, generator=generator) * 2 + 1
    x, m = (tensor.to(device, dtype, copy=True).requires_grad_() for tensor in (inputs, modulation))
    y, n = (tensor.to(dtype).double().requires_grad_() for tensor in (inputs, modulation))
    out = fused_norm(x, m[:, :channels], m[:, channels + 3:], groups, 1e-2, one_plus=one_plus, silu=silu, taps=taps)
    wanted = plain(y, n[:, :channels], n[:, channels + 3:], groups, 1e-2, one_plus, silu, taps)
    assert out.dtype == dtype and out.shape == (batch, frames, taps * channels)
    grad = torch.randn(wanted.shape, generator=generator).to(dtype)
    out.backward(grad.to(device))
    wanted.backward(grad.double())
    for found, right in ((out, wanted), (x.grad, y.grad), (m.grad, n.grad)):
        # the gradient of a group of one element is zero: an error of it counts beside the one that comes in
        scale = right.detach().norm() or grad.double().norm()
        error = (found.detach().double().cpu() - right.detach()).norm() / scale
        assert error < tolerance, f'{error} of {tuple(right.shape)}'


def check_unet(device, dtype, tolerance, kernel='triton'):
    """The whole network, with and without the kernels."""
    torch.manual_seed(0)
    usual, fused = (UNet1D(3, **OPTIONS, norm_kernel=name) for name in ('torch', kernel))
    for weight in usual.parameters():  # some are zero
        torch.nn.init.normal_(weight, std=0.2)
    fused.load_state_dict(usual.state_dict())
    x, t = torch.randn(2, 7, 3), torch.tensor([3, 9])
    results = []
    for model in (usual.to(device), fused.to(device)):
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            out = model(x.to(device), t.to(device))
        out.square().mean().backward()
        results.append([out.detach(), *(weight.grad for weight in model.parameters())])
    for found, right in zip(*results, strict=True):
        error = (found - right).float().norm() / right.float().norm()
        assert error < tolerance, f'{error} of {tuple(right.shape)}'


CASES = [dict(shared=shared, one_plus=one_plus, silu=silu, taps=taps) for shared, one_plus, silu, taps in (
    (True, False, True, 3), (False, True, True, 3), (True, False, False, 1), (False, True, True, 5))]
ONE_ELEMENT = (1, 1, 8), 8  # in each group: the result is that of the shift alone


@pytest.mark.slow
@needs_triton
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


@needs_triton
@pytest.mark.parametrize('types', ['*bf16', '*fp32'])
def test_the_kernels_compile_for_hopper(types):
    from leokit.diffusion_backbones import norm_kernels
    common = dict(x=types, gain=types, shift=types, statistics='*fp32', frames='i32', channels='i32', width='i32',
                  gain_stride='i32', shift_stride='i32')
    constants = dict(one_plus=True, silu=True, taps=3, num_rows=64, num_columns=64)
    compile_for_hopper(norm_kernels._forward, dict(common, out=types, eps='fp32'), constants)
    compile_for_hopper(norm_kernels._backward, dict(common, grad=types, of_x=types, of_parameters='*fp32',
                                                    gradients='i32'), constants)


@needs_triton
@pytest.mark.parametrize('shape, groups, device, fits', [
    ((2, 64, 256), 8, 'cuda', True), ((2, 64, 256), 8, 'cpu', False), ((2, 512, 256), 8, 'cuda', True),
    ((2, 513, 256), 8, 'cuda', False), ((2, 64, 8 * 257), 8, 'cuda', False),  # 1,024 x 32 elements, 64 x 512
    ((2, 1, 2**15), 1, 'cuda', False), ((2, 1, 2**14), 1, 'cuda', True), ((2, 0, 256), 8, 'cuda', False)])
def test_when_it_is_one_kernel(shape, groups, device, fits):
    with FakeTensorMode():
        x = torch.empty(shape, device=device, dtype=torch.bfloat16)
        assert can_fuse(x, groups) == fits


@pytest.mark.parametrize('kernel', ['auto', 'triton'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_cpu_uses_torch(monkeypatch, dtype, kernel):
    monkeypatch.setattr('leokit.diffusion_backbones.unet_1d.fused_norm', None)
    check_unet('cpu', dtype, 1e-7, kernel)


class Normalizations(TorchDispatchMode):
    """Counts the calls of the operator."""

    count = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.count += operator is torch.ops.leokit.group_norm.default
        return operator(*args, **(kwargs or {}))


@needs_triton
@pytest.mark.parametrize('amp, options, fuses', [
    (True, dict(), True), (False, dict(), False), (True, dict(norm_kernel='torch'), False),
    (False, dict(norm_kernel='triton'), True), (True, dict(norm_kernel='triton'), True)])
def test_where_the_kernels_are_used_on_a_cuda_device(amp, options, fuses):
    """On a simulated device, which has no values but the types of autocast."""
    was_on, dtype = torch.is_autocast_enabled('cuda'), torch.get_autocast_dtype('cuda')
    with FakeTensorMode():
        with torch.device('cuda'):
            model, x, t = UNet1D(3, **OPTIONS, **options), torch.empty(2, 7, 3), torch.empty(2, dtype=torch.int64)
        torch.set_autocast_enabled('cuda', amp)  # torch.autocast wants a GPU
        torch.set_autocast_dtype('cuda', torch.bfloat16)
        try:
            with Normalizations() as used:
                out = model(x, t)
            with Normalizations() as used_with_mask:
                model(x, t, mask=torch.ones(2, 7, dtype=torch.bool, device='cuda'))
        finally:
            torch.set_autocast_enabled('cuda', was_on)
            torch.set_autocast_dtype('cuda', dtype)
            torch.clear_autocast_cache()
    assert out.is_cuda and out.dtype == (torch.bfloat16 if amp else torch.float32)
    # five blocks have two, three attentions and the end one each
    assert used.count == (14 if fuses else 0) and used_with_mask.count == 0


def test_weights_and_copies_do_not_depend_on_the_kernel():
    torch.manual_seed(0)
    usual, x, t = UNet1D(3, **OPTIONS, norm_kernel='torch'), torch.randn(1, 5, 3), torch.tensor([4])
    for weight in usual.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    for name in ('auto', 'triton'):
        model = UNet1D(3, **OPTIONS, norm_kernel=name)
        assert not torch.equal(model(x, t), usual(x, t)) and model.state_dict().keys() == usual.state_dict().keys()
        model.load_state_dict(usual.state_dict())
        for copied in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert torch.equal(copied(x, t), usual(x, t))
            assert {layer.kernel for layer in copied.modules() if isinstance(layer, TemporalGroupNorm)} == {name}
    with pytest.raises(UserError, match="norm_kernel='cuda' must be one of auto, torch, triton"):
        UNet1D(3, **OPTIONS, norm_kernel='cuda')


@pytest.mark.gpu
@pytest.mark.parametrize('options', CASES)
@pytest.mark.parametrize('dtype, tolerance', [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_the_kernels_on_a_gpu(options, dtype, tolerance):
    for shape, groups in (((3, 5, 24), 2), ((4, 20, 256), 8), ((2, 64, 768), 8), ONE_ELEMENT):
        check(shape, groups, dtype=dtype, device='cuda', tolerance=tolerance, **options)


@pytest.mark.gpu
def test_the_network_on_a_gpu():
    check_unet('cuda', torch.float32, 2e-3)  # TF32
    check_unet('cuda', torch.bfloat16, 5e-2)
    check_unet('cuda', torch.bfloat16, 5e-2, 'auto')


if __name__ == '__main__':
    check_addresses()
    for options, (shape, groups) in product(CASES, (((3, 5, 24), 2), ((2, 4, 6), 3), ((2, 1, 4), 1), ONE_ELEMENT)):
        check(shape, groups, **options)
    check((2, 5, 12), 2, dtype=torch.bfloat16, tolerance=2e-2, **CASES[0])
    # the operator as PyTorch wants it, and one graph in a compiler
    x, gain, shift = (torch.randn(*shape, requires_grad=True) for shape in ((2, 3, 4), (2, 4), (2, 4)))
    torch.library.opcheck(torch.ops.leokit.group_norm, (x, gain, shift, 2, 1e-5, True, True, 3))
    from leokit.diffusion_backbones import unet_1d
    unet_1d.can_fuse = lambda x, groups: True
    check_unet('cpu', torch.float32, 1e-5)
    model = UNet1D(3, **OPTIONS, norm_kernel='triton')
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    compiled = torch.compile(lambda *inputs: model(*inputs).square().sum(), fullgraph=True, backend='aot_eager')
    inputs = torch.randn(2, 7, 3), torch.tensor([3, 9])
    one, other = (torch.autograd.grad(run(*inputs), list(model.parameters()))
                  for run in (compiled, lambda *inputs: model(*inputs).square().sum()))
    torch.testing.assert_close(one, other)
    with torch.inference_mode():
        found = model(*inputs)
    torch.testing.assert_close(found, model(*inputs))
