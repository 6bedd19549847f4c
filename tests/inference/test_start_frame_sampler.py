"""Starting frames, stage after stage."""

import pytest
import torch

from leokit.inference import StartFrameSampler, resize_frames, start_frame_sampler as start_frames
from leokit.utils import UserError
from support.tiny_models import MOTION_DIM, SIZE, make_start_frame

HASH = 'ab' * 32


def codes(count=5):
    return torch.randn(count, MOTION_DIM, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def base():
    return make_start_frame(HASH, size=8)


@pytest.fixture(scope='module')
def second():
    return make_start_frame(HASH, size=16, low=dict(size=8, noise=0.1))


@pytest.mark.parametrize('stages', [1, 2])
def test_a_frame_depends_on_its_code_and_seed_only(base, second, stages, monkeypatch):
    sampler = StartFrameSampler(base, second if stages == 2 else None)
    size = sampler.size
    assert size == (16 if stages == 2 else 8)
    frames = sampler.sample(codes(), [3, 1, 4, 1, 5])
    assert frames.shape == (5, 3, size, size) and frames.abs().max() <= 1 and frames.dtype == torch.float32
    assert torch.allclose(sampler.sample(codes()[2:3], [4]), frames[2:3], atol=1e-4)
    monkeypatch.setattr(start_frames, 'CHUNK_PIXELS', 2 * size**2)
    assert torch.allclose(sampler.sample(codes(), [3, 1, 4, 1, 5]), frames, atol=1e-4)
    assert not torch.allclose(sampler.sample(codes(), [0, 1, 4, 1, 5])[0], frames[0], atol=0.05)


def test_the_second_stage_gets_the_frames_of_the_first():
    base = make_start_frame(None, size=8)
    second = make_start_frame(None, size=16, low=dict(size=8, noise=0.0))
    seen = []
    second.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs['extra']), with_kwargs=True)
    StartFrameSampler(base, second).sample(codes(), range(5))
    sampled = StartFrameSampler(base).sample(codes(), range(5))
    assert torch.allclose(seen[0], second._upsample(sampled), atol=1e-5)


def test_frames_are_resized_between_stages(base):
    second = make_start_frame(HASH, size=32, low=dict(size=16))
    assert StartFrameSampler(base, second).sample(codes(), range(5)).shape[-1] == 32
    sampler = StartFrameSampler(base)
    frames = sampler.sample(codes(), range(5))
    assert torch.allclose(sampler.sample(codes(), range(5), size=SIZE), resize_frames(frames, SIZE))
    assert sampler.sample(codes(0), []).shape == (0, 3, 8, 8)


def test_guidance_applies_to_the_first_stage(base, second):
    sampler = StartFrameSampler(base, second)
    assert not torch.allclose(sampler.sample(codes(), range(5), guidance_scale=0.0),
                              sampler.sample(codes(), range(5), guidance_scale=3.0), atol=1e-3)
    sample = StartFrameSampler(base).sample
    assert torch.allclose(sample(codes(), range(5), guidance_scale=0.0),
                          sample(codes().flip(0), range(5), guidance_scale=0.0))


def test_stages_that_do_not_fit(base, second):
    with pytest.raises(UserError, match='upsamples frames of 8 pixels'):
        StartFrameSampler(second)
    with pytest.raises(UserError, match='samples from codes alone'):
        StartFrameSampler(base, base)
    with pytest.raises(UserError, match='belong to different animators'):
        StartFrameSampler(base, make_start_frame('cd' * 32, size=16, low=dict(size=8)))
    with pytest.raises(UserError, match='different motion dimensions .4 and 5.'):
        StartFrameSampler(base, make_start_frame(HASH, 5, size=16, low=dict(size=8)))
    with pytest.raises(UserError, match='2 seeds were given for 5'):
        StartFrameSampler(base).sample(codes(), [1, 2])


def test_autocast_samples_nearly_the_same(base):
    plain, fast = (StartFrameSampler(base, amp=amp).sample(codes(), range(5)) for amp in (False, True))
    assert fast.dtype == torch.float32 and (plain - fast).abs().mean() < 0.05
