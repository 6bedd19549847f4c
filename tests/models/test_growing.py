"""A grown animator is the trained one between two filters, whatever the weights of both."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.models import Animator
from leokit.models.growing import grow
from leokit.utils import UserError

WIDTHS = dict(appearance_dim=16, motion_dim=4, max_channels=8)
INPAINT = dict(flow_generator=dict(type='LIAFlowGenerator', inpaint=True))


def animator(size: int, seed: int, **options) -> Animator:
    """Every weight is random: none is zero, as after a training."""
    torch.manual_seed(seed)
    model = Animator(size, **{**WIDTHS, **options}).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model


def taps(count: int) -> Tensor:
    kernel = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = torch.outer(kernel, kernel) / 64
    return kernel.expand(count, 1, 4, 4)


def halved(images: Tensor) -> Tensor:
    """Pixel i of a row is (x[2i - 1] + 3 x[2i] + 3 x[2i + 1] + x[2i + 2]) / 8, with zeros outside."""
    return F.conv2d(images, taps(3), stride=2, padding=1, groups=3)


def doubled(images: Tensor) -> Tensor:
    """The transpose of :func:`halved`, which has a quarter of the brightness, times 4."""
    return F.conv_transpose2d(images, 4 * taps(images.shape[1]), stride=2, padding=1, groups=images.shape[1])


@pytest.mark.parametrize('options', [{}, INPAINT])
def test_it_renders_what_the_trained_one_does(options):
    trained, grown = animator(32, 0, **options), animator(64, 1, **options)
    grow(trained, grown)
    images = 2 * torch.rand(3, 3, 64, 64) - 1
    with torch.no_grad():
        small, large = trained.encode(halved(images)), grown.encode(images)
        assert torch.allclose(large.motion, small.motion, rtol=1e-3, atol=1e-3 * float(small.motion.abs().max()))
        motion = small.motion[:1, None] + torch.randn(1, 5, 4)
        expected = trained.animate(type(small)(*(part[:1] for part in small[:2]), tuple(f[:1] for f in small.features)),
                                   motion)
        result = grown.animate(type(large)(*(part[:1] for part in large[:2]), tuple(f[:1] for f in large.features)),
                               motion)
    frames = doubled(expected.frames[0])
    assert float(frames.std()) > 0.1 and float((frames[1:] - frames[:-1]).abs().max()) > 0.1  # not still, not empty
    assert torch.allclose(result.frames[0], frames, rtol=1e-3, atol=1e-3 * float(frames.abs().max()))
    assert torch.allclose(result.flows[-2], expected.flows[-1], atol=1e-3)


def test_with_a_share_of_one_the_source_is_warped_at_full_resolution():
    exact = dict(type='BilinearWarp', grid='exact')
    options = dict(flow_generator=dict(type='LIAFlowGenerator', inpaint=True, warp_operator=exact))
    trained, grown = animator(32, 0, **options), animator(64, 1, **options)
    with torch.no_grad():  # masks of the identity initialization, and an untrained inpainting
        for level in trained.flow_generator.levels:
            level.to_flow.conv.weight[:, 2] = 0
            level.to_flow.bias[2] = 0
            level.inpaint_rgb.weight.zero_()
        trained.flow_generator.levels[0].to_flow.bias[2] = 3
    grow(trained, grown, share=1.0)
    images = torch.rand(1, 3, 64, 64)  # of one sign, so that the layers are linear
    with torch.no_grad():
        result = grown.animate(grown.encode(images), torch.randn(1, 2, 4))
    flow = result.flows[-1][0]
    centers = (torch.arange(64) + 0.5) / 32 - 1
    grid = flow.permute(0, 2, 3, 1) + torch.stack(torch.meshgrid(centers, centers, indexing='xy'), dim=-1)
    expected = F.grid_sample(images.expand(2, -1, -1, -1), grid, align_corners=False)
    assert float(flow.abs().max()) > 0.05 and float(expected.std()) > 0.1
    expected = expected * result.masks[-1][0] / torch.sigmoid(torch.tensor(3.0))  # 1 but for the borders
    assert torch.allclose(result.frames[0], expected, atol=1e-3)


def test_all_new_weights_can_learn():
    trained, grown = animator(32, 0, **INPAINT), animator(64, 1, **INPAINT)
    grow(trained, grown)
    images = 2 * torch.rand(2, 3, 64, 64) - 1
    # gradients reach what lies behind zeros step by step: colors, then flow, then the modulation of its layer
    optimizer = torch.optim.SGD(grown.parameters(), lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        encoding = grown.encode(images)
        frames = grown.animate(encoding, encoding.motion[:, None].roll(1, 0)).frames
        (frames[:, 0] - images.roll(1, 0)).square().mean().backward()
        optimizer.step()
    new = (grown.encoder.from_rgb, grown.encoder.blocks[0], grown.flow_generator.levels[-1])
    still = [name for module in new for name, weight in module.named_parameters()
             if weight.grad is None or not weight.grad.abs().any()]
    assert not still, still


def test_between_them_is_the_mean():
    frames = []
    for share in (0.0, 0.5, 1.0):
        trained, grown = animator(32, 0), animator(64, 1)
        grow(trained, grown, share=share)
        with torch.no_grad():
            encoding = grown.encode(2 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 1)
            frames.append(grown.animate(encoding, torch.ones(1, 1, 4)).frames)
    assert torch.allclose(frames[1], (frames[0] + frames[2]) / 2, atol=1e-4 * float(frames[0].abs().max()))
    assert not torch.allclose(frames[0], frames[2], atol=0.1)


@pytest.mark.parametrize('share', [-0.1, 1.5, float('nan')])
def test_a_share_is_from_0_to_1(share):
    with pytest.raises(UserError, match='must be from 0 to 1, got'):
        grow(Animator(32, **WIDTHS), Animator(64, **WIDTHS), share=share)


def test_growing_twice_keeps_the_codes():
    small, middle, large = animator(32, 0), animator(64, 1), animator(128, 2)
    grow(small, middle)
    grow(middle, large)
    images = 2 * torch.rand(2, 3, 128, 128) - 1
    with torch.no_grad():
        expected = small.encode(halved(halved(images))).motion
        assert torch.allclose(large.encode(images).motion, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


@pytest.mark.parametrize('size, options, message', [
    (128, {}, 'of size 32 grows to 64, not to 128; set size=64'),
    (32, {}, 'grows to 64, not to 32'),
    (64, dict(motion_dim=5), 'other widths than the trained one; give it the same appearance_dim, motion_dim'),
    (64, dict(max_channels=16), 'other widths'),
    (64, INPAINT, 'other widths .* and inpaint'),
    (64, dict(flow_generator=dict(type='LIAFlowGenerator', warp_operator=dict(type='BilinearWarp', grid='exact'))),
     "has grid='lia', and the config builds one with grid='exact'; set it to 'lia'"),
    (64, dict(encoder=dict(type='LIAXEncoder'), flow_generator=dict(type='LIAXFlowGenerator')),
     'only animators with LIAEncoder can be grown, and the one of size 64 has LIAXEncoder')])
def test_what_does_not_fit_is_an_error(size, options, message):
    grown = Animator(size, **{**WIDTHS, **options})
    before = {key: value.clone() for key, value in grown.state_dict().items()}
    with pytest.raises(UserError, match=message):
        grow(Animator(32, **WIDTHS), grown)
    assert all(torch.equal(value, before[key]) for key, value in grown.state_dict().items())
