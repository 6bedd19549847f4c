import pytest
import torch
from torch.nn import functional as F

from leokit.encoders import LIAEncoder
from leokit.flow_generators import LIAFlowGenerator
from leokit.flow_generators.lia_flow_generator import SynthesisLevel
from leokit.registry import FLOW_GENERATORS


def parts(**options):
    torch.manual_seed(0)
    encoder = LIAEncoder(32, 16, motion_dim=4, max_channels=8)
    return encoder, LIAFlowGenerator(32, 16, max_channels=8, **options)


def test_shapes_and_ranges():
    encoder, generator = parts(init='reference')
    features = encoder(torch.randn(2, 3, 32, 32)).features
    frames, flows, masks = generator(torch.randn(2, 16), features)
    assert frames.shape == (2, 3, 32, 32)
    assert [f.shape for f in flows] == [(2, 2, s, s) for s in (8, 16, 32)]
    assert [m.shape for m in masks] == [(2, 1, s, s) for s in (8, 16, 32)]
    assert all(f.abs().max() < 1 for f in flows) and all(0 < m.min() and m.max() < 1 for m in masks)


def test_identity_initialization_has_no_flow_and_reads_the_source():
    encoder, generator = parts(warp_operator=dict(type='BilinearWarp', grid='exact'))
    features = encoder(torch.randn(2, 3, 32, 32)).features
    frames, flows, masks = generator(torch.randn(2, 16), features)
    assert all((flow == 0).all() for flow in flows)
    inner = masks[-1][..., 4:-4, 4:-4]  # zeros outside pull the upsampled bias down at the border
    torch.testing.assert_close(inner, torch.full_like(inner, 0.9526), atol=1e-3, rtol=0)
    # with no flow, the picture is the color heads' reading of the source, whatever the latent says
    other = generator(torch.randn(2, 16), features).frames
    torch.testing.assert_close(frames, other)


def test_flow_appears_after_one_step():
    encoder, generator = parts()
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.01)
    images = torch.randn(2, 3, 32, 32)
    for _ in range(2):
        frames, flows, _ = generator(torch.randn(2, 16), encoder(images).features)
        F.l1_loss(frames, images.flip(3)).backward()
        optimizer.step()
        optimizer.zero_grad()
    _, flows, _ = generator(torch.randn(2, 16), encoder(images).features)
    assert all(flow.abs().max() > 0 for flow in flows)


def test_inpainting_shows_what_the_source_does_not():
    encoder, generator = parts(init='reference', inpaint=True)
    _, plain = parts(init='reference')
    missing, unexpected = plain.load_state_dict(generator.state_dict(), strict=False)
    assert not missing and unexpected and all('inpaint_rgb' in key for key in unexpected)
    features, latents = encoder(torch.randn(2, 3, 32, 32)).features, torch.randn(2, 16)
    torch.testing.assert_close(generator(latents, features).frames, plain(latents, features).frames)  # so it begins
    # a source of which nothing is left: LIA's picture is one color, whatever the latent asks for
    nothing = tuple(torch.zeros_like(feature) for feature in features)
    frames = plain(latents, nothing).frames
    torch.testing.assert_close(frames[0], frames[1])
    # one step later the inpainting one tells the latents apart, by what it paints
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.01)
    F.mse_loss(generator(latents, nothing).frames, torch.randn(2, 3, 32, 32)).backward()
    optimizer.step()
    frames = generator(latents, nothing).frames
    assert (frames[0] - frames[1]).abs().max() > 1e-3


def test_latents_are_divided_among_sources():
    encoder, generator = parts(init='reference')
    features = encoder(torch.randn(2, 3, 32, 32)).features
    latent = torch.randn(6, 16)
    many = generator(latent, features).frames
    for k in range(6):
        one = generator(latent[k:k + 1], tuple(f[k // 3:k // 3 + 1] for f in features)).frames
        torch.testing.assert_close(many[k:k + 1], one, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match='3 latents'):
        generator(latent[:3], features)


def test_unknown_init():
    with pytest.raises(ValueError, match='zeros'):
        parts(init='zeros')


def test_inpainting_reads_the_trunk_where_the_mask_is_open_only():
    """A mask of 1 everywhere leaves nothing to inpaint: the frame is LIA's, whatever the inpainting weights say."""
    encoder, generator = parts(init='reference', inpaint=True)
    _, plain = parts(init='reference')
    plain.load_state_dict(generator.state_dict(), strict=False)
    features, latents = encoder(torch.randn(2, 3, 32, 32)).features, torch.randn(2, 16)
    with torch.no_grad():
        for level in generator.levels:
            level.inpaint_rgb.weight.normal_()
    assert (generator(latents, features).frames - plain(latents, features).frames).abs().max() > 1e-2
    with torch.no_grad():
        for each in (generator, plain):
            for level in each.levels:
                level.to_flow.bias[2] += 40  # sigmoid(40) is 1 in float32
    torch.testing.assert_close(generator(latents, features).frames, plain(latents, features).frames)


def test_a_level_by_its_definition():
    """Flow by tanh, mask by a sigmoid, the trunk blended with the warped feature, the image read from the latter."""
    torch.manual_seed(0)
    level = SynthesisLevel(6, 4, style_dim=8, warp=lambda feature, flow, mask: 3 * feature * mask, inpaint=True)
    with torch.no_grad():
        level.inpaint_rgb.weight.normal_()
        level.to_flow.bias.copy_(torch.tensor([0.3, -0.2, 0.5]).view_as(level.to_flow.bias))
    x, latent, feature = torch.randn(2, 6, 4, 4), torch.randn(2, 8), torch.randn(2, 4, 8, 8)
    previous_raw, previous_image = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    trunk = level.conv(level.up(x, latent), latent)
    raw = level.to_flow(trunk, latent, previous_raw)
    mask = 1 / (1 + (-raw[:, 2:]).exp())
    warped = 3 * feature * mask
    outputs = level(x, latent, feature, previous_raw, previous_image)
    image = level.to_rgb(warped, previous_image) + level.inpaint_rgb((1 - mask) * trunk)
    for found, expected in zip(outputs, (warped + (1 - mask) * trunk, raw, image, raw[:, :2].tanh(), mask)):
        torch.testing.assert_close(found, expected)
    assert outputs[0].shape == (2, 4, 8, 8)


@pytest.mark.parametrize('inpaint', [False, True])
@pytest.mark.parametrize('grid', ['lia', 'corners'])
def test_colors_are_warped_instead_of_features(grid, inpaint):
    """To-RGB before the warp is to-RGB after it, with the same gradients; sources of several frames."""
    _, generator = parts(init='reference', inpaint=inpaint, warp_operator=dict(type='BilinearWarp', grid=grid))
    assert [level.is_last for level in generator.levels] == [False, False, True]
    with torch.no_grad():
        for level in generator.levels:
            level.to_rgb.bias.normal_()
            if inpaint:
                level.inpaint_rgb.weight.normal_()
    latents = torch.randn(4, 16)
    features = [torch.randn(2, 8, s, s).requires_grad_() for s in (8, 16, 32)]
    wanted, (results, called) = torch.randn(4, 3, 32, 32), ([], [])
    hook = generator.levels[0].warp.register_forward_hook(lambda _, inputs, __: called.append(inputs[0].shape[1]))
    for alike in (True, False):
        generator.levels[0].warp.maps_channels_alike = alike  # one operator for all levels
        frame = generator(latents, tuple(features))
        gradients = torch.autograd.grad(((frame.frames - wanted) ** 2).sum(), [
            *features, *generator.parameters()], allow_unused=True)
        assert called == ([8, 3, 8, 3, 3] if alike else [8, 8, 8])  # the last level warps three channels only
        called.clear()
        results.append([x.detach() for x in (frame.frames, *frame.flows, *frame.masks, *gradients)])
    hook.remove()
    assert all(gradient is not None for gradient in gradients)
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_the_initial_frame_is_the_source():
    torch.manual_seed(0)
    encoder = LIAEncoder(32, 16, motion_dim=4, max_channels=8)
    generator = LIAFlowGenerator(32, 16, max_channels=8, warp_operator=dict(type='BilinearWarp', grid='exact'))
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    frames = generator(torch.randn(2, 16), encoder(images).features).frames
    torch.testing.assert_close(frames[..., 4:-4, 4:-4], images[..., 4:-4, 4:-4], atol=0.01, rtol=0)


@pytest.mark.parametrize('name', ['LIAFlowGenerator', 'LIAXFlowGenerator'])
def test_the_constant_is_normal(name):
    torch.manual_seed(0)
    constant = FLOW_GENERATORS.build(dict(type=name, size=32, appearance_dim=16)).constant
    assert abs(constant.mean()) < 0.05 and abs(constant.std() - 1) < 0.05 and constant.min() < -2.5
