"""A sample is a function of its image, the seed and its number."""

import pytest
import torch

from leokit.inference import VideoGenerator
from leokit.utils import UserError
from leokit.utils.seeds import sample_seeds
from support.tiny_models import SIZE, WINDOW, make_animator, make_motion_diffusion

TOLERANCE = 2e-4  # sums run in another order in batches of another size


@pytest.fixture
def generator(animator, motion_diffusion):
    return VideoGenerator(animator, motion_diffusion)


def frames_of(chunks):
    return torch.cat(list(chunks), dim=1)


def assert_same(left, right):
    torch.testing.assert_close(left, right, atol=TOLERANCE, rtol=0)


def test_videos_of_any_length_start_with_the_image(generator, animator, images):
    with torch.no_grad():
        encoding = animator.encode(images[:1])
        first = animator.animate(encoding, encoding.motion).frames.clamp(-1, 1)
    for num_frames in (1, 4, 13):
        frames = frames_of(generator.generate(images[0], num_frames))
        assert frames.shape == (1, num_frames, 3, SIZE, SIZE)
        assert frames.abs().amax() <= 1
        assert_same(frames[:, 0], first)
    assert (frames[:, 1:] - frames[:, :-1]).abs().amax(dim=(0, 2, 3, 4)).min() > 0.01


def test_a_longer_video_begins_with_the_shorter_one(generator, images):
    assert_same(frames_of(generator.generate(images[0], 12))[:, :7], frames_of(generator.generate(images[0], 7)))


def test_sample_is_the_same_in_any_batch_and_any_chunks(generator, images):
    four = frames_of(generator.generate(images[0], 11, num_sequences=4, seed=5))
    assert (four[0] - four[1]).abs().amax() > 0.01
    assert_same(frames_of(generator.generate(images[0], 11, seed=5, first_sample=2, chunk_size=3)), four[2:3])
    assert_same(frames_of(generator.generate(images[0], 11, num_sequences=2, seed=5)), four[:2])
    other = frames_of(generator.generate(images[0], 11, seed=6))
    assert (other - four[:1]).abs().amax() > 0.01


def test_sequences_of_one_image_are_adjacent(generator, images):
    both = frames_of(generator.generate(images, 6, num_sequences=2, seed=1))
    assert both.shape == (4, 6, 3, SIZE, SIZE)
    second = frames_of(generator.generate(images[1], 6, num_sequences=2, seed=1, first_sample=2))
    assert_same(both[2:], second)


def test_frames_are_rendered_before_the_whole_motion_is_sampled(generator, images, monkeypatch):
    sampled = []
    sample = generator.motion_diffusion.sample
    monkeypatch.setattr(generator.motion_diffusion, 'sample',
                        lambda *args, **options: sampled.append(1) or sample(*args, **options))
    next(generator.generate(images[0], 1000))
    assert len(sampled) == 1
    assert not torch.is_inference_mode_enabled()


def test_without_a_condition_the_video_still_starts_with_the_image(animator, images):
    model = make_motion_diffusion(animator.weights_hash(), motion_condition=dict(type='NoMotionCondition'))
    frames = frames_of(VideoGenerator(animator, model).generate(images[0], 5))
    with_condition = frames_of(VideoGenerator(animator, make_motion_diffusion(None)).generate(images[0], 1))
    assert_same(frames[:, :1], with_condition)


def test_codes_of_another_animator_are_an_error(animator):
    with pytest.raises(UserError, match='animator'):
        VideoGenerator(animator, make_motion_diffusion(make_animator(seed=9).weights_hash()))
    with pytest.raises(UserError, match='motion dimensions'):
        VideoGenerator(animator, make_motion_diffusion(None, motion_dim=6))


@pytest.mark.parametrize('options, message', [
    (dict(num_frames=0), 'num_frames'), (dict(num_frames=3, num_sequences=0), 'num_sequences'),
    (dict(num_frames=3, seed=-1), 'seed')])
def test_values_out_of_range(generator, images, options, message):
    with pytest.raises(UserError, match=message):
        next(generator.generate(images[0], **options))


def test_all_windows_are_relative_to_the_first_code(animator, images):
    """Without a condition the first code is free, and the windows have first codes of their own."""
    model = make_motion_diffusion(animator.weights_hash(), motion_condition=dict(type='NoMotionCondition'))
    total = 2 * WINDOW
    found = frames_of(VideoGenerator(animator, model).generate(images[0], total, seed=4))
    generators = [torch.Generator().manual_seed(seed) for seed in sample_seeds(4, [0])]
    with torch.no_grad():
        encoding = animator.encode(images[:1])
        codes = torch.cat(list(model.extend(encoding.motion, total, generator=generators)), dim=1)
        assert (codes[:, 0] - codes[:, WINDOW]).abs().max() > 0.1
        expected = animator.animate(encoding, encoding.motion[:, None] + codes - codes[:, :1]).frames.clamp(-1, 1)
    assert_same(found, expected)
