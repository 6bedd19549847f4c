"""The flow generator of LIA-X against its formulas, written out with the reference operators."""

import math

import pytest
import torch
from torch.nn import functional as F

from leokit.encoders import LIAXEncoder
from leokit.flow_generators import LIAXFlowGenerator
from leokit.nn import fir_kernel, modulated_conv2d_reference, upfirdn2d_reference

WIDTHS = dict(channel_multiplier=1 / 64, max_channels=8)


@pytest.fixture(scope='module')
def parts():
    torch.manual_seed(0)
    encoder, generator = LIAXEncoder(32, 16, motion_dim=4, **WIDTHS), LIAXFlowGenerator(32, 16, **WIDTHS)
    with torch.no_grad():
        for name, weight in generator.named_parameters():
            if name.endswith(('bias', 'gamma')) and not name.endswith('modulation.bias'):
                weight.normal_(0, 0.3)  # initially zero or tiny: no mistake would show
    return encoder, generator


def lrelu(x, bias):
    return F.leaky_relu(x + bias.view(1, -1, 1, 1), 0.2) * math.sqrt(2)


def equal_conv(x, weight, padding=0):
    return F.conv2d(x, weight / math.sqrt(weight[0].numel()), padding=padding)


def styled(x, latent, state, name, **options):
    weight = state[f'{name}.conv.weight']
    style = latent @ state[f'{name}.conv.modulation.weight'].t() / math.sqrt(latent.shape[1])
    x = modulated_conv2d_reference(x, weight / math.sqrt(weight[0].numel()),
                                   style + state[f'{name}.conv.modulation.bias'], **options)
    return lrelu(x, state[f'{name}.activation.bias'])


def up(x):
    return upfirdn2d_reference(x, up=2, pad=(2, 1), gain=4)


def written_out(generator, latent, features):
    """Frames, flows and masks."""
    state = generator.state_dict()
    x = styled(state['constant'].expand(len(latent), -1, -1, -1), latent, state, 'first')
    raw = refined = image = None
    flows, masks = [], []
    for index, feature in enumerate(features):
        name = f'levels.{index}'
        x = styled(x, latent, state, f'{name}.up', upsample=True)
        for block in (f'{name}.blocks.{number}' for number in range(4)):
            x = styled(x, latent, state, f'{block}.conv1')
            normal = F.group_norm(x, 8, state[f'{block}.norm.weight'], state[f'{block}.norm.bias'])
            x = x + state[f'{block}.gamma'] * styled(normal, latent, state, f'{block}.conv2')
        weight = state[f'{name}.to_flow.conv.weight']
        style = latent @ state[f'{name}.to_flow.conv.modulation.weight'].t() / math.sqrt(latent.shape[1])
        new = modulated_conv2d_reference(x, weight / math.sqrt(weight[0].numel()),
                                         style + state[f'{name}.to_flow.conv.modulation.bias'], demodulate=False)
        raw = new + state[f'{name}.to_flow.bias'].view(1, 3, 1, 1) + (0 if raw is None else up(raw))
        flow, mask = raw[:, :2].tanh(), raw[:, 2:].sigmoid()
        axis = torch.linspace(-1, 1, feature.shape[-1])
        grid = torch.stack(torch.meshgrid(axis, axis, indexing='xy'), dim=-1) + flow.permute(0, 2, 3, 1)
        warped = F.grid_sample(feature, grid, align_corners=True) * mask
        refined = warped if refined is None else warped + lrelu(
            equal_conv(up(refined), state[f'{name}.refine_up.conv.weight'], 1),
            state[f'{name}.refine_up.activation.bias'])
        for block in (f'{name}.refine.{number}' for number in range(4)):
            branch = refined
            for part in (1, 2):
                branch = lrelu(equal_conv(branch, state[f'{block}.conv{part}.weight'], 1),
                               state[f'{block}.activation{part}.bias'])
            refined = (branch + refined) / math.sqrt(2)
        rgb = lrelu(equal_conv(refined, state[f'{name}.to_rgb.conv.weight']), state[f'{name}.to_rgb.activation.bias'])
        image = rgb + state[f'{name}.to_rgb.bias'].view(1, 3, 1, 1) + (0 if image is None else up(image))
        x = warped + (1 - mask) * x
        flows.append(flow)
        masks.append(mask)
    return image, flows, masks


def test_it_computes_its_formulas(parts):
    encoder, generator = parts
    features = encoder(torch.randn(2, 3, 32, 32)).features
    latent = torch.randn(2, 16)
    with torch.no_grad():
        found, (frames, flows, masks) = generator(latent, features), written_out(generator, latent, features)
    for ours, theirs in ((found.frames, frames), *zip(found.flows, flows, strict=True),
                         *zip(found.masks, masks, strict=True)):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert fir_kernel().sum() == 1


def test_one_source_serves_several_latents(parts):
    encoder, generator = parts
    features, latents = encoder(torch.randn(1, 3, 32, 32)).features, torch.randn(3, 16)
    together = generator(latents, features).frames
    for index in range(3):
        torch.testing.assert_close(together[index:index + 1], generator(latents[index:index + 1], features).frames,
                                   rtol=1e-3, atol=2e-3)
    three = [feature.repeat(3, 1, 1, 1) for feature in features]
    torch.testing.assert_close(generator(latents, three).frames, together, rtol=1e-3, atol=2e-3)
    with pytest.raises(ValueError, match='cannot be divided'):
        generator(latents[:2], [feature.repeat(3, 1, 1, 1) for feature in features])
    with pytest.raises(ValueError, match='must have 3 levels'):
        generator(latents, features[1:])


def test_every_parameter_gets_a_gradient(parts):
    encoder, generator = parts
    generator(torch.randn(1, 16), encoder(torch.randn(1, 3, 32, 32)).features).frames.sum().backward()
    # the trunk of the finest level only ends in its flow and mask
    assert [name for name, weight in generator.named_parameters() if weight.grad is None] == []
    generator.zero_grad()


def test_the_papers_widths():
    with torch.device('meta'):
        generator = LIAXFlowGenerator(512, 1024, channel_multiplier=4, max_channels=1024)
    assert sum(weight.numel() for weight in generator.parameters()) / 1e6 == pytest.approx(910.6 - 115.8, abs=0.1)
