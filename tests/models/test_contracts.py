"""A plug-in that breaks the contract of its registry gets a sentence that names it and what is expected."""

import pytest
import torch
from torch import nn

from leokit.encoders import Encoding, LIAEncoder
from leokit.flow_generators import FlowFrame, LIAFlowGenerator
from leokit.models import Animator, MotionDiffusion
from leokit.motion_spaces import LinearMotionSpace
from leokit.registry import DIFFUSION_BACKBONES, ENCODERS, FLOW_GENERATORS, MOTION_SPACES
from leokit.utils import UserError

SIZE, DIM, MOTION = 32, 16, 4


def changed(base, change):
    """A component whose results are changed."""
    class Changed(base):
        def forward(self, *args):
            return change(super().forward(*args))
    return Changed


@pytest.fixture
def build():
    """An animator with one component of another class."""
    registered = []

    def animator(registry, kind, part):
        registry.register_module(name='Changed', module=kind)
        registered.append(registry)
        return Animator(SIZE, DIM, motion_dim=MOTION, max_channels=8, **{part: dict(type='Changed')}).eval()
    yield animator
    for registry in registered:
        del registry.module_dict['Changed']


@pytest.mark.parametrize('change, message', [
    (lambda e: tuple(e), 'the encoder Changed must return an Encoding, got tuple'),
    (lambda e: e._replace(motion=e.motion[:, 1:]), r'must return motion of shape \(2, 4\), got \(2, 3\)'),
    (lambda e: e._replace(appearance=e.appearance[:1]), r'must return appearance of shape \(2, 16\), got \(1, 16\)'),
    (lambda e: e._replace(features=e.features[::-1]), 'one for each resolution, coarse to fine'),
    (lambda e: e._replace(features=tuple(f[0] for f in e.features)), r'must return features of shape \(2, C, s, s\)'),
    (lambda e: e._replace(features=e.features[1:]), 'features must have 3 levels, got 2')])
def test_encoders(build, change, message):
    animator = build(ENCODERS, changed(LIAEncoder, change), 'encoder')
    with pytest.raises(ValueError, match=message):
        animator.transfer(torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE))


def test_motion_spaces(build):
    animator = build(MOTION_SPACES, changed(LinearMotionSpace, lambda latent: latent[..., 1:]), 'motion_space')
    with pytest.raises(UserError, match=r'the motion space Changed must return latents of shape .*, got \(1, 15\)'):
        animator.transfer(torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE))


@pytest.mark.parametrize('change, message', [
    (lambda f: f.frames, 'must return a FlowFrame, got Tensor'),
    (lambda f: f._replace(frames=f.frames[..., 1:]), r'frames of shape \(1, 3, 32, 32\), got \(1, 3, 32, 31\)'),
    (lambda f: f._replace(flows=f.flows[1:]), 'a flow .* and a mask .* for each resolution'),
    (lambda f: f._replace(masks=f.flows), 'a flow .* and a mask')])
def test_flow_generators(build, change, message):
    animator = build(FLOW_GENERATORS, changed(LIAFlowGenerator, change), 'flow_generator')
    with pytest.raises(UserError, match=f'the flow generator Changed must return .*{message}|{message}'):
        animator.transfer(torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE))


def test_sound_components_pass(build):
    animator = build(ENCODERS, changed(LIAEncoder, lambda e: Encoding(*e)), 'encoder')
    assert isinstance(animator.transfer(torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE)).frames,
                      torch.Tensor)
    assert FlowFrame._fields == ('frames', 'flows', 'masks')


@pytest.mark.parametrize('change, got', [(lambda x: x[:, 1:], 'shape'), (lambda x: (x, x), 'a tuple')])
def test_diffusion_backbones(change, got):
    class Backbone(nn.Module):
        def __init__(self, motion_dim):
            super().__init__()

        def forward(self, x, t, cond=None):
            return change(x)
    DIFFUSION_BACKBONES.register_module(name='Changed', module=Backbone)
    try:
        model = MotionDiffusion(MOTION, 5, backbone=dict(type='Changed'))
        model.normalizer.set_statistics(torch.zeros(MOTION), torch.ones(MOTION), torch.ones(MOTION))
        with pytest.raises(UserError, match=f'the diffusion backbone must return .* got {got}'):
            model.loss(dict(motion=torch.zeros(2, 5, MOTION)))
    finally:
        del DIFFUSION_BACKBONES.module_dict['Changed']
