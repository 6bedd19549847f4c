"""Unconditional videos are functions of the seed and their number, and start with the sampled frame."""

import pytest
import torch

from leokit.inference import StartFrameSampler, UnconditionalGenerator, VideoGenerator
from leokit.utils import UserError
from leokit.utils.seeds import sample_seeds
from support.tiny_models import SIZE, WINDOW, make_animator, make_start_code, make_start_frame

TOLERANCE = 2e-4  # sums run in another order in batches of another size


@pytest.fixture
def unconditional(animator, motion_diffusion, start_code, start_frame):
    return UnconditionalGenerator(VideoGenerator(animator, motion_diffusion), start_code,
                                  StartFrameSampler(start_frame))


def frames_of(chunks):
    return torch.cat(list(chunks), dim=1)


def assert_same(left, right):
    torch.testing.assert_close(left, right, atol=TOLERANCE, rtol=0)


def test_a_sample_is_the_same_in_any_batch_and_any_chunks(unconditional):
    four = frames_of(unconditional.generate(4, 11, seed=5))
    assert four.shape == (4, 11, 3, SIZE, SIZE) and four.abs().amax() <= 1
    assert min((four[i] - four[j]).abs().amax() for i in range(4) for j in range(i)) > 0.01
    assert (four[:, 1:] - four[:, :-1]).abs().amax(dim=(0, 2, 3, 4)).min() > 0.001
    assert_same(frames_of(unconditional.generate(2, 11, seed=5)), four[:2])
    assert_same(frames_of(unconditional.generate(1, 11, seed=5, first_sample=2, chunk_size=3)), four[2:3])
    assert_same(frames_of(unconditional.generate(1, 6, seed=5, first_sample=3)), four[3:, :6])
    assert (frames_of(unconditional.generate(1, 11, seed=6)) - four[:1]).abs().amax() > 0.01


def test_the_first_frame_is_the_sampled_one(unconditional, animator):
    """The animator encodes and renders it, however far its code is from the sampled one."""
    starts = unconditional.sample_initial_states([3], seed=1)
    with torch.no_grad():
        encoding = animator.encode(starts.frames)
        shown = animator.animate(encoding, encoding.motion).frames.clamp(-1, 1)
    assert (encoding.motion - starts.motion).abs().max() > 0.1
    assert_same(frames_of(unconditional.generate(1, 4, seed=1, first_sample=3))[:, 0], shown)


def test_the_motion_starts_at_the_sampled_code(unconditional, animator, motion_diffusion):
    starts = unconditional.sample_initial_states([0, 1], seed=1)
    generators = [torch.Generator().manual_seed(seed) for seed in sample_seeds(1, [0, 1])]
    motion = motion_diffusion.sample(starts.motion, WINDOW, generator=generators)
    with torch.no_grad():
        encoding = animator.encode(starts.frames)
        expected = animator.animate(encoding, motion, start=starts.motion).frames.clamp(-1, 1)
    assert_same(frames_of(unconditional.generate(2, WINDOW, seed=1)), expected)


def test_windows_are_sampled_when_needed(unconditional, monkeypatch):
    sampled = []
    model = unconditional.generator.motion_diffusion
    sample = model.sample
    monkeypatch.setattr(model, 'sample', lambda *args, **options: sampled.append(1) or sample(*args, **options))
    next(unconditional.generate(2, 100_000))
    assert len(sampled) == 1


def test_guidance_scale_changes_the_starting_frames(unconditional):
    weak, strong = (unconditional.sample_initial_states([0], guidance_scale=weight).frames for weight in (0.0, 6.0))
    assert (weak - strong).abs().max() > 1e-4


@pytest.mark.parametrize('count, frames, seed, message', [
    (0, 3, 0, 'number of videos'), (1, 0, 0, 'num_frames'), (1, 3, -1, 'seed')])
def test_values_out_of_range(unconditional, count, frames, seed, message):
    with pytest.raises(UserError, match=message):
        next(unconditional.generate(count, frames, seed=seed))


def test_models_of_different_animators_are_an_error(animator, motion_diffusion, start_code, start_frame):
    generator, sampler = VideoGenerator(animator, motion_diffusion), StartFrameSampler(start_frame)
    other = make_animator(seed=9).weights_hash()
    with pytest.raises(UserError, match='the animator and the starting-code model belong to different animators'):
        UnconditionalGenerator(generator, make_start_code(other), sampler)
    with pytest.raises(UserError, match='the animator and the starting-frame model belong to different animators'):
        UnconditionalGenerator(generator, start_code, StartFrameSampler(make_start_frame(other)))
    small = StartFrameSampler(make_start_frame(animator.weights_hash(), size=SIZE // 2))
    with pytest.raises(UserError, match='samples frames of 16 pixels and the animator takes 32'):
        UnconditionalGenerator(generator, start_code, small)


def test_larger_frames_are_downsampled(animator, motion_diffusion, start_code):
    large = StartFrameSampler(make_start_frame(animator.weights_hash(), size=2 * SIZE))
    generator = UnconditionalGenerator(VideoGenerator(animator, motion_diffusion), start_code, large)
    assert frames_of(generator.generate(1, 3)).shape[-1] == SIZE


def test_code_frame_and_motion_of_a_sample_have_noise_of_their_own(unconditional, monkeypatch):
    seeds = []

    def record(owner, name, keyword):
        method = getattr(owner, name)

        def recorded(*args, **options):
            given = options[keyword] if keyword in options else args[-1]
            seeds.extend(one if isinstance(one, int) else one.initial_seed() for one in given)
            return method(*args, **options)
        monkeypatch.setattr(owner, name, recorded)

    record(unconditional.start_code, 'sample', 'generator')
    record(unconditional.start_frame_sampler, 'sample', 'seeds')
    record(unconditional.generator.motion_diffusion, 'extend', 'generator')
    frames_of(unconditional.generate(2, 2, seed=5))
    assert len(seeds) == len(set(seeds)) == 6
