from itertools import product

import pytest
import torch
from support.triton_interpreter import check_addresses, run_interpreted
from torch._subclasses import FakeTensorMode

from leokit.nn import identity_grid
from leokit.utils.triton import IS_INSTALLED
from leokit.warp_operators import BilinearWarp, bilinear_sample_reference, fused_warp

GRIDS = ('lia', 'exact', 'corners')
# sources, flows per source, channels, height, width; several programs, and channels that do not fill one
SHAPES = ((2, 3, 70, 6, 9), (1, 1, 16, 8, 5), (3, 1, 8, 2, 2))


def tensors(shape, dtype, device='cpu'):
    """Feature, flow, mask and incoming gradient; some positions are far outside."""
    generator = torch.Generator().manual_seed(0)
    sources, frames, channels, height, width = shape
    feature = torch.randn(sources, channels, height, width, generator=generator)
    flow = 0.5 * torch.randn(sources * frames, 2, height, width, generator=generator)
    flow[:, :, 0, 0] = 1e12
    mask = torch.rand(sources * frames, 1, height, width, generator=generator)
    grad = torch.randn(sources * frames, channels, height, width, generator=generator)
    feature, grad = (x.to(dtype).contiguous(memory_format=torch.channels_last) for x in (feature, grad))
    return [x.to(device) for x in (feature, flow, mask, grad)]


def by_definition(feature, flow, mask, grad, grid):
    """Result and gradients in float64, on the CPU; and where the gradient of the flow does not jump."""
    feature, flow, mask = (x.detach().double().cpu().requires_grad_() for x in (feature, flow, mask))
    sources, _, height, width = feature.shape
    positions = flow + identity_grid(height, width, grid).double()
    if grid == 'corners':  # the reference has -1 and 1 at the outer edges
        positions = positions * torch.tensor([(width - 1) / width, (height - 1) / height]).double().view(1, 2, 1, 1)
    out = mask * bilinear_sample_reference(feature.repeat_interleave(len(flow) // sources, 0), positions)
    out.backward(grad.double().cpu())
    size = torch.tensor([width, height]).view(1, 2, 1, 1)
    from_pixel = (positions.detach() + 1) * size / 2 - 0.5
    is_smooth = ((from_pixel - from_pixel.round()).abs() > 1e-4).all(1, keepdim=True)
    return [out.detach(), feature.grad, flow.grad, mask.grad], is_smooth


def check(warp, shape, dtype, device='cpu'):
    feature, flow, mask, grad = tensors(shape, dtype, device)
    inputs = [x.clone().requires_grad_() for x in (feature, flow, mask)]
    out = warp(*inputs)
    out.backward(grad)
    assert out.dtype == dtype and out.is_contiguous(memory_format=torch.channels_last)
    wanted, is_smooth = by_definition(feature, flow, mask, grad, warp.grid)
    assert is_smooth.sum() > 0.9 * is_smooth.numel() - len(flow)  # the positions far outside are whole numbers
    inputs[1].grad *= is_smooth.to(device)
    wanted[2] *= is_smooth
    # the interpreter cuts off what bfloat16 cannot hold
    rounding = {torch.float32: 2e-5, torch.bfloat16: 8e-3, torch.float16: 1e-3}[dtype]
    for got, exact, low in zip((out, *(x.grad for x in inputs)), wanted, (True, True, False, False)):
        # gradients of flow and mask are sums over channels, in float32
        torch.testing.assert_close(got.detach().double().cpu(), exact, rtol=rounding if low else 1e-4,
                                   atol=1e-4 if low else 1e-4 * float(exact.abs().max()))


def check_interpreted():
    for grid, shape in product(GRIDS, SHAPES):
        check(BilinearWarp(grid, kernel='triton'), shape, torch.float32)
    check(BilinearWarp(kernel='triton'), SHAPES[0], torch.bfloat16)
    # all positions in the cell in the middle
    feature, flow, mask, grad = tensors((2, 2, 8, 4, 4), torch.float32)
    squeezed = -0.97 * identity_grid(4, 4, 'exact').expand(4, -1, -1, -1).contiguous()
    results = []
    for kernel in ('torch', 'triton'):
        inputs = [x.clone().requires_grad_() for x in (feature, squeezed, mask)]
        BilinearWarp('exact', kernel=kernel)(*inputs).backward(grad)
        results.append([x.grad for x in inputs])
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)
    # a feature without gradient
    warp, flow = BilinearWarp(kernel='triton'), flow.requires_grad_()
    warp(feature, flow, mask).backward(grad)
    torch.testing.assert_close(flow.grad, by_definition(feature, flow, mask, grad, 'lia')[0][2].float(), rtol=1e-4,
                               atol=1e-3)
    # the operators as PyTorch wants them, one graph in a compiler, and no second derivatives
    arguments = feature.requires_grad_(), flow, mask, 1.0, 1.0, False
    torch.library.opcheck(torch.ops.leokit.bilinear_warp, arguments)
    torch.library.opcheck(torch.ops.leokit.bilinear_warp_backward,
                          (grad, feature.detach(), flow.detach(), *arguments[2:], True))
    compiled = torch.compile(lambda *x: warp(*x).square().sum(), fullgraph=True, backend='aot_eager')
    for function in (compiled, lambda *x: warp(*x).square().sum()):
        flow.grad = None
        function(feature, flow, mask).backward()
        results.append(flow.grad)
    torch.testing.assert_close(results[-1], results[-2])
    gradient, = torch.autograd.grad(warp(feature, flow, mask).square().sum(), flow, create_graph=True)
    with pytest.raises(RuntimeError, match='bilinear_warp_backward'):
        gradient.sum().backward()


@pytest.mark.parametrize('grid', GRIDS)
def test_the_definition_of_this_test_is_the_plain_operator(grid):
    feature, flow, mask, grad = tensors((2, 2, 8, 6, 5), torch.float32)
    flow = flow.clamp(-3, 3)
    inputs = [x.clone().requires_grad_() for x in (feature, flow, mask)]
    out = BilinearWarp(grid, kernel='torch')(*inputs)
    out.backward(grad)
    for got, exact in zip((out, *(x.grad for x in inputs)), by_definition(feature, flow, mask, grad, grid)[0]):
        torch.testing.assert_close(got.double(), exact, rtol=1e-4, atol=1e-4 * float(exact.abs().max()))


def test_the_kernel_is_chosen():
    feature, flow, mask, _ = tensors((1, 1, 8, 4, 4), torch.float32)
    assert BilinearWarp().kernel == 'auto'
    plain = BilinearWarp(kernel='torch')(feature, flow, mask)
    torch.testing.assert_close(BilinearWarp(kernel='auto')(feature, flow, mask), plain)  # on a CPU
    with pytest.raises(ValueError, match="kernel must be one of .*'triton'.*got 'cuda'"):
        BilinearWarp(kernel='cuda')


@pytest.mark.parametrize('kernel, can_fuse, expected', [
    ('torch', True, False), ('torch', False, False), ('auto', True, True), ('auto', False, False),
    ('triton', True, True), ('triton', False, True)])  # where it cannot, Triton says so
@pytest.mark.parametrize('grid, ends, align_corners', [('exact', (4 / 5, 2 / 3), False), ('corners', (1, 1), True)])
def test_which_kernel_runs(kernel, can_fuse, expected, grid, ends, align_corners, monkeypatch):
    feature, flow, mask, _ = tensors((1, 2, 8, 3, 5), torch.float32)
    calls = []
    monkeypatch.setattr('leokit.warp_operators.bilinear_warp.can_fuse', lambda *given: can_fuse)
    monkeypatch.setattr('leokit.warp_operators.bilinear_warp.fused_warp', lambda *given: calls.append(given) or mask)
    warped = BilinearWarp(grid, kernel=kernel)(feature, flow, mask)
    assert len(calls) == expected and (warped is mask) is expected
    for given in calls:
        assert all(one is other for one, other in zip(given[:3], (feature, flow, mask), strict=True))
        assert given[3] == pytest.approx(ends) and given[4] is align_corners


@pytest.mark.parametrize('shape, options, expected', [
    ((2, 8, 4, 2), {}, True), ((2, 8, 4, 4), dict(dtype=torch.bfloat16), True),
    ((2, 8, 4, 4), dict(dtype=torch.float16), True),
    ((2, 7, 4, 4), {}, False), ((2, 8, 1, 4), {}, False), ((2, 8, 4, 1), {}, False),
    ((2, 8, 4, 4), dict(dtype=torch.float64), False), ((2, 8, 4, 4), dict(device='cpu'), False),
    ((2, 8, 4, 4), dict(memory_format=torch.contiguous_format), False),
    ((2, 8, 4, 4), dict(flows=2**27 - 2**12 - 1), True),  # times 16 is 16 below the limit
    ((2, 8, 4, 4), dict(flows=2**27 - 2**12), False)])
def test_which_tensors_the_kernels_handle(shape, options, expected, monkeypatch):
    monkeypatch.setattr(fused_warp, 'HAS_TRITON', True)
    options = dict(dict(device='cuda', memory_format=torch.channels_last), **options)
    flows = options.pop('flows', 4)
    with FakeTensorMode():  # shapes without memory
        feature, flow = torch.empty(shape, **options), torch.empty(flows, 2, *shape[2:], device=options['device'])
        assert fused_warp.can_fuse(feature, flow) is expected
        monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)  # the layout is the compiler's
        in_any_layout = expected or options['memory_format'] == torch.contiguous_format
        assert fused_warp.can_fuse(feature, flow) is in_any_layout
        with torch.no_grad():
            assert not fused_warp.can_fuse(feature, flow)
        monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: False)
        with torch.no_grad():
            assert fused_warp.can_fuse(feature, flow) is expected
        monkeypatch.setattr(fused_warp, 'HAS_TRITON', False)
        assert not fused_warp.can_fuse(feature, flow)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_shapes_types_and_layouts_of_the_results_without_data(dtype):
    with FakeTensorMode():  # in whatever layout the compiler gives
        feature = torch.empty(2, 8, 4, 5, dtype=dtype, device='cuda')
        flow, mask = (torch.empty(6, 4, 5, channels, device='cuda').permute(0, 3, 1, 2) for channels in (2, 1))
        out = torch.ops.leokit.bilinear_warp(feature, flow, mask, 0.75, 0.8, False)
        gradients = [torch.ops.leokit.bilinear_warp_backward(out, feature, flow, mask, 0.75, 0.8, False, of_feature)
                     for of_feature in (True, False)]
    for result, shape in ((out, (6, 8, 4, 5)), (gradients[0][0], (2, 8, 4, 5)), (gradients[1][0], (0,))):
        assert result.shape == shape and result.dtype == dtype and result.device.type == 'cuda'
        assert len(shape) == 1 or result.is_contiguous(memory_format=torch.channels_last)
    for of_flow, of_mask in (gradient[1:] for gradient in gradients):
        assert of_flow.shape == (6, 2, 4, 5) and of_mask.shape == (6, 1, 4, 5)
        assert of_flow.is_contiguous() and of_mask.is_contiguous()
        assert {x.dtype for x in (of_flow, of_mask)} == {torch.float32} and of_flow.is_cuda and of_mask.is_cuda


@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_lists_of_positions_have_one_integer_type(monkeypatch):
    """A loop over them keeps its types in compiled kernels, which the interpreter does not check."""
    from leokit.warp_operators import warp_kernels
    feature, flow, mask, grad = tensors((2, 3, 8, 4, 5), torch.float32)
    launched = {}

    class Kernel:
        def __init__(self, name):
            self.name = name

        def __getitem__(self, programs):
            return lambda *given, **constants: launched.update({self.name: given})

    for name in ('_backward_positions', '_backward_feature'):
        monkeypatch.setattr(warp_kernels, name, Kernel(name))
    warp_kernels.backward(grad, feature, flow, mask, (1.0, 1.0), False, True)
    heads, following = launched['_backward_positions'][6:8]
    assert heads.dtype == following.dtype == torch.int32
    assert heads.tolist() == [-1] * (2 * 5 * 6) and following.shape == (6 * 4 * 5,)  # no position is in a list yet
    assert launched['_backward_feature'][3] is heads and launched['_backward_feature'][4] is following
    launched.clear()
    warp_kernels.backward(grad, feature, flow, mask, (1.0, 1.0), False, False)
    assert list(launched) == ['_backward_positions'] and launched['_backward_positions'][6].numel() == 0


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


@pytest.mark.gpu
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize('grid', GRIDS)
def test_the_kernels_on_a_gpu(grid, dtype):
    for shape in (*SHAPES, (2, 2, 72, 64, 48)):
        check(BilinearWarp(grid, kernel='triton'), shape, dtype, 'cuda')


@pytest.mark.gpu
@pytest.mark.timeout(300)
def test_compiled_training_uses_the_kernels():
    feature, flow, mask, grad = tensors((2, 2, 64, 32, 32), torch.bfloat16, 'cuda')
    warp = BilinearWarp(kernel='auto')
    compiled = torch.compile(lambda *x: warp(*x), fullgraph=True)
    results, kernels = [], []
    for function in (BilinearWarp(kernel='torch'), compiled):
        inputs = [x.clone().requires_grad_() for x in (feature, flow, mask)]
        function(*inputs).backward(grad)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            out = function(*(x.detach().requires_grad_() for x in inputs))
            out.backward(grad)
        kernels.append({event.name for event in profile.events()})
        results.append([out.float(), *(x.grad.float() for x in inputs)])
    for plain, fused in zip(*results):
        torch.testing.assert_close(fused, plain, rtol=1e-2, atol=1e-2 * float(plain.abs().max()))
    assert any('grid_sampler' in name for name in kernels[0])
    assert '_backward_feature' in kernels[1] and not any('grid_sampler' in name for name in kernels[1])


if __name__ == '__main__':
    check_addresses()
    check_interpreted()
