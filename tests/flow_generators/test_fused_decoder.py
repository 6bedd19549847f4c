"""The fused decoder gives the frames of the generator."""

from types import SimpleNamespace

import pytest
import torch
from support.triton_interpreter import check_addresses, run_interpreted

from leokit.flow_generators import LIAFlowGenerator, LIAXFlowGenerator
from leokit.flow_generators.fused_decoder import FusedDecoder, can_fuse
from leokit.utils.triton import IS_INSTALLED
from leokit.warp_operators import BilinearWarp

# of the frames, in their standard deviation: mean and maximum; positions in bfloat16 can be far off
TOLERANCES = {torch.float32: (1e-5, 3e-4), torch.bfloat16: (0.05, 3.0)}


def scene(size, channels, sources, latents, *, inpaint=False, grid='lia', device='cpu'):
    """A generator in which everything counts, features and latents."""
    torch.manual_seed(0)
    generator = LIAFlowGenerator(size, 24, max_channels=channels, init='reference', inpaint=inpaint,
                                 warp_operator=dict(type='BilinearWarp', grid=grid)).eval()
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if 'bias' in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
            if 'to_flow.conv.weight' in name:
                parameter.mul_(0.3)
            if 'inpaint_rgb' in name:
                parameter.normal_()
    sizes = [8 * 2**i for i in range(len(generator.levels))]
    widths = [level.conv.conv.weight.shape[0] for level in generator.levels]
    features = tuple(torch.randn(sources, c, s, s).to(device) for c, s in zip(widths, sizes))
    return generator.to(device), features, torch.randn(latents, 24).to(device)


def check(size, channels, sources, latents, dtype=torch.float32, **options):
    generator, features, latent = scene(size, channels, sources, latents, **options)
    with torch.no_grad():
        expected = generator(latent, features)
    assert min(flow.abs().mean() for flow in expected.flows) > 0.05  # far enough to show
    frames = FusedDecoder(generator, features, dtype)(latent)
    assert frames.shape == expected.frames.shape and frames.dtype == torch.float32
    scale = float(expected.frames.std())
    difference = (frames - expected.frames).abs() / scale
    assert difference.mean() < TOLERANCES[dtype][0] and difference.max() < TOLERANCES[dtype][1]
    assert (frames[1:] - frames[:-1]).abs().max() > 0.1 * scale


def check_interpreted():
    check(32, 20, 2, 4)  # channels that do not fill a program
    check(32, 8, 1, 2, grid='corners')
    check(32, 40, 2, 2, inpaint=True)  # sums in two parts, the second not filled
    for inpaint in (False, True):
        check(32, 8, 1, 2, inpaint=inpaint, dtype=torch.bfloat16, grid='exact')
    generator, features, latent = scene(32, 8, 2, 4)
    with pytest.raises(ValueError, match='3 latents cannot be divided among 2 sources'):
        FusedDecoder(generator, features, torch.float32)(latent[:3])


def test_what_can_be_fused(monkeypatch):
    monkeypatch.setattr('leokit.flow_generators.fused_decoder.HAS_TRITON', True)
    generator, features, _ = scene(32, 8, 1, 1)
    assert not can_fuse(generator, features)  # on a CPU
    on_gpu = tuple(SimpleNamespace(is_cuda=True) for _ in features)
    assert can_fuse(generator, on_gpu)
    assert can_fuse(scene(32, 8, 1, 1, inpaint=True)[0], on_gpu)
    assert not can_fuse(generator, on_gpu[:2])
    assert not can_fuse(torch.nn.Identity(), on_gpu)
    assert not can_fuse(LIAXFlowGenerator(32, 24, channel_multiplier=1 / 64, max_channels=8), on_gpu)
    assert not can_fuse(LIAFlowGenerator(
        32, 24, max_channels=8, warp_operator=dict(type='BilinearWarp', kernel='torch')), on_gpu)

    class OtherWarp(BilinearWarp):
        pass

    for level in generator.levels:
        level.warp = OtherWarp()
    assert not can_fuse(generator, on_gpu)
    monkeypatch.setattr('leokit.flow_generators.fused_decoder.HAS_TRITON', False)
    assert not can_fuse(scene(32, 8, 1, 1)[0], on_gpu)


def test_the_weights_are_those_of_the_construction():
    generator, features, _ = scene(32, 8, 1, 1, inpaint=True)
    decoder = FusedDecoder(generator, features, torch.float32)
    given = {x.untyped_storage().data_ptr() for x in generator.parameters()}
    held = [x for value in vars(decoder).values() for x in (value if isinstance(value, list) else [value])
            if isinstance(x, torch.Tensor)]
    assert len(held) > 20 and not any(x.untyped_storage().data_ptr() in given for x in held)


@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


@pytest.mark.gpu
@pytest.mark.parametrize('inpaint', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_kernels_on_a_gpu(dtype, inpaint, monkeypatch):
    """Rounding moves the positions that are sampled, and the features are noise: a network on the GPU says how much."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    cases = [(64, 64, 2, 4, grid) for grid in ('lia', 'exact', 'corners')] + [(128, 512, 1, 3, 'lia')]
    for *sizes, grid in cases:
        generator, features, latent = scene(*sizes, inpaint=inpaint, grid=grid)
        with torch.no_grad():
            expected = generator(latent, features).frames
        generator, features, latent = generator.cuda(), tuple(x.cuda() for x in features), latent.cuda()
        with torch.no_grad(), torch.autocast('cuda', dtype, enabled=dtype != torch.float32):
            plain = generator(latent, features).frames
        fused = FusedDecoder(generator, features, dtype)(latent)
        assert fused.shape == expected.shape and fused.dtype == torch.float32
        of_plain, of_fused = (float((frames.cpu() - expected).abs().mean() / expected.std())
                              for frames in (plain, fused))
        assert of_plain < (1e-3 if dtype == torch.float32 else 0.5)
        assert of_fused < 2 * of_plain + 1e-6


if __name__ == '__main__':
    check_addresses()
    check_interpreted()
