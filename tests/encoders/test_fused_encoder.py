"""The fused encoder gives the codes and features of the encoder."""

import re

import pytest
import torch
from support.triton_compiler import compile_for_hopper
from support.triton_interpreter import check_addresses, correct_bfloat16, run_interpreted

from leokit.encoders import LIAEncoder, LIAXEncoder
from leokit.encoders.fused_encoder import FusedEncoder, can_fuse
from leokit.utils.pixels import from_uint8
from leokit.utils.triton import IS_INSTALLED

needs_triton = pytest.mark.skipif(not IS_INSTALLED, reason='Triton is not installed')


def scene(size, channels, batch, *, dim=24, multiplier=1.0):
    """An encoder in which everything counts, and images uint8 of squares of 8x8 with noise."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    encoder = LIAEncoder(size, dim, motion_dim=5, channel_multiplier=multiplier, max_channels=channels,
                         init='reference').eval()
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if 'bias' in name:
                parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    coarse = torch.rand(batch, 3, size // 8, size // 8, generator=generator)
    noise = torch.rand(batch, 3, size, size, generator=generator)
    images = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3) * 155 + noise * 100
    return encoder, images.to(torch.uint8)


def errors(found, wanted):
    """Mean differences of appearance, motion and each feature map, in the standard deviations of the right ones."""
    assert [x.shape for x in (*found[:2], *found.features)] == [x.shape for x in (*wanted[:2], *wanted.features)]
    return [float((x.cpu().float() - y).abs().mean() / y.std())
            for x, y in zip((*found[:2], *found.features), (*wanted[:2], *wanted.features))]


def check(size, channels, batch, dtype=torch.float32, **options):
    encoder, images = scene(size, channels, batch, **options)
    with torch.no_grad():
        wanted = encoder(from_uint8(images))
        with torch.autocast('cpu', dtype, enabled=dtype != torch.float32):
            plain = encoder(from_uint8(images))
    fused = FusedEncoder(encoder, dtype)
    found = fused(images)
    for of_plain, of_fused in zip(errors(plain, wanted), errors(found, wanted), strict=True):
        assert of_fused < (2e-6 if dtype == torch.float32 else of_plain)  # which rounds more often
    for feature in found.features:
        assert feature.dtype == dtype and feature.is_contiguous(memory_format=torch.channels_last)
    assert found.appearance.dtype == found.motion.dtype == torch.float32
    assert batch == 1 or (wanted.motion.std(0) > 1e-3).all()  # codes differ
    floats = from_uint8(images).contiguous(memory_format=torch.channels_last)
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(fused.codes(floats), found.motion, rtol=0, atol=tolerance * float(found.motion.std()))


def check_interpreted():
    from leokit.encoders import encoder_kernels
    check(32, 8, 1)  # strips of two rows
    encoder_kernels.ENOUGH_PROGRAMS = 1  # few programs, strips of 16 rows and more
    check(32, 21, 2)  # channels that do not fill a program
    check(32, 8, 3, dtype=torch.bfloat16)
    encoder_kernels.JOIN_CHANNELS, encoder_kernels.JOIN_DEPTH, encoder_kernels.CHANNELS = 16, 64, 32
    check(32, 35, 1, dim=40)  # several programs and parts of a sum, the last not filled
    check(64, 12, 1, multiplier=0.03)  # 7 channels become 12
    encoder, images = scene(32, 4, 2)
    fused = FusedEncoder(encoder, torch.float32)
    before = fused.codes(images)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    assert torch.equal(fused.codes(images), before)  # weights as they were
    with pytest.raises(ValueError, match=r'images must have shape \(\*, 3, 32, 32\)'):
        fused.codes(images[:, :, 1:])


def test_what_can_be_fused(monkeypatch):
    capability = [9, 0]
    monkeypatch.setattr('leokit.encoders.fused_encoder.HAS_TRITON', True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: tuple(capability))
    encoder, cuda = LIAEncoder(32, 24, max_channels=8), torch.device('cuda', 0)
    assert can_fuse(encoder, cuda)
    assert not can_fuse(encoder, torch.device('cpu'))
    assert not can_fuse(torch.nn.Identity(), cuda)
    assert not can_fuse(LIAXEncoder(32, 24, channel_multiplier=1 / 64, max_channels=8), cuda)

    class Another(LIAEncoder):
        pass

    assert not can_fuse(Another(32, 24, max_channels=8), cuda)
    capability[:] = 7, 5
    assert not can_fuse(encoder, cuda)
    capability[:] = 8, 0
    assert can_fuse(encoder, cuda)
    monkeypatch.setattr('leokit.encoders.fused_encoder.HAS_TRITON', False)
    assert not can_fuse(encoder, cuda)


@pytest.mark.slow
@needs_triton
def test_the_kernels_in_the_interpreter():
    run_interpreted(__file__)


@needs_triton
@pytest.mark.parametrize('types', ['*bf16', '*fp32'])
def test_the_kernels_compile_for_hopper(types):
    """Where 16 divides the channels, all maps are read and written in vectors of 16 bytes."""
    from leokit.encoders import encoder_kernels as kernels
    counts = dict(rows='i32', strips='i32', channels='i32', gain='fp32')
    side = dict(num_channels=kernels.CHANNELS)
    first, blur, halve, join = (compile_for_hopper(*arguments, multiples=('channels', 'in_channels')) for arguments in (
        (kernels._from_rgb, dict(images='*u8', weight='*fp32', bias='*fp32', out=types, area='i32', channels='i32',
                                 scale='fp32', offset='fp32'), dict(side, positions=kernels.POSITIONS)),
        (kernels._activate_blur, dict(counts, x=types, bias='*fp32', out=types, size='i32', pairs='i32'),
         dict(side, num_pairs=kernels.COLUMNS)),
        (kernels._blur_halve, dict(counts, x=types, out=types, half='i32', total_columns='i32'),
         dict(side, num_columns=kernels.COLUMNS)),
        (kernels._join, dict(x=types, bias='*fp32', shortcut=types, weight=types, out=types, pixels='i32',
                             channels='i32', in_channels='i32'),
         dict(positions=kernels.JOIN_POSITIONS, num_channels=kernels.JOIN_CHANNELS,
              depth=kernels.JOIN_DEPTH // (1 if types == '*bf16' else 2)))))
    for ptx in (blur, halve):
        assert 'ld.global.v4' in ptx and not re.search(r'ld\.global\.[bv]2?(16|32)', ptx)
    for ptx in (first, blur, halve, join):
        assert 'st.global.v4' in ptx and not re.search(r'st\.global\.(v2|b)', ptx)
    assert ('wgmma' in join) == (types == '*bf16')


@pytest.mark.gpu
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_kernels_on_a_gpu(dtype, monkeypatch):
    """The encoder on the GPU says how much rounding there is."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    for size, channels, batch in ((64, 20, 3), (128, 512, 1), (256, 512, 2)):
        encoder, images = scene(size, channels, batch, dim=128)
        with torch.no_grad():
            wanted = encoder(from_uint8(images))
        encoder, images = encoder.cuda(), images.cuda()
        floats = from_uint8(images).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast('cuda', dtype, enabled=dtype != torch.float32):
            plain = encoder(floats)
        fused = FusedEncoder(encoder, dtype)
        found = fused(images)
        for feature, like in zip(found.features, plain.features, strict=True):
            assert feature.dtype == like.dtype and feature.is_contiguous(memory_format=torch.channels_last)
        for of_plain, of_fused in zip(errors(plain, wanted), errors(found, wanted), strict=True):
            assert of_plain < (1e-4 if dtype == torch.float32 else 0.05)
            assert of_fused < 2 * of_plain + 1e-6
        torch.testing.assert_close(fused.codes(images), found.motion, rtol=1e-4, atol=1e-5)


if __name__ == '__main__':
    check_addresses()
    correct_bfloat16()
    check_interpreted()
