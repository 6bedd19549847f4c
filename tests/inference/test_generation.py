"""A sample is a function of its picture, the seed and its number."""

import pytest
import torch

from leokit.inference import VideoGenerator
from leokit.utils import UserError
from support.tiny_models import SIZE, make_animator, make_motion_diffusion

TOLERANCE = 2e-4  # sums run in another order in batches of another size


@pytest.fixture
def generator(animator, motion_diffusion):
    return VideoGenerator(animator, motion_diffusion)


def frames_of(chunks):
    return torch.cat(list(chunks), dim=1)


def assert_same(left, right):
    torch.testing.assert_close(left, right, atol=TOLERANCE, rtol=0)


def test_any_length_starting_with_the_picture(generator, animator, pictures):
    with torch.no_grad():
        encoding = animator.encode(pictures[:1])
        first = animator.animate(encoding, encoding.motion).frames.clamp(-1, 1)
    for num_frames in (1, 4, 13):
        frames = frames_of(generator.generate(pictures[0], num_frames))
        assert frames.shape == (1, num_frames, 3, SIZE, SIZE)
        assert frames.abs().amax() <= 1
        assert_same(frames[:, 0], first)
    assert (frames[:, 1:] - frames[:, :-1]).abs().amax(dim=(0, 2, 3, 4)).min() > 0.01


def test_a_longer_video_begins_with_the_shorter_one(generator, pictures):
    assert_same(frames_of(generator.generate(pictures[0], 12))[:, :7], frames_of(generator.generate(pictures[0], 7)))


def test_sample_is_the_same_in_any_batch_and_any_chunks(generator, pictures):
    four = frames_of(generator.generate(pictures[0], 11, num_sequences=4, seed=5))
    assert (four[0] - four[1]).abs().amax() > 0.01
    assert_same(frames_of(generator.generate(pictures[0], 11, seed=5, first_sample=2, chunk_size=3)), four[2:3])
    assert_same(frames_of(generator.generate(pictures[0], 11, num_sequences=2, seed=5)), four[:2])
    other = frames_of(generator.generate(pictures[0], 11, seed=6))
    assert (other - four[:1]).abs().amax() > 0.01


def test_several_pictures_have_their_sequences_side_by_side(generator, pictures):
    both = frames_of(generator.generate(pictures, 6, num_sequences=2, seed=1))
    assert both.shape == (4, 6, 3, SIZE, SIZE)
    second = frames_of(generator.generate(pictures[1], 6, num_sequences=2, seed=1, first_sample=2))
    assert_same(both[2:], second)


def test_frames_come_before_the_whole_motion_is_drawn(generator, pictures, monkeypatch):
    drawn = []
    sample = generator.motion_diffusion.sample
    monkeypatch.setattr(generator.motion_diffusion, 'sample',
                        lambda *args, **options: drawn.append(1) or sample(*args, **options))
    next(generator.generate(pictures[0], 1000))
    assert len(drawn) == 1
    assert not torch.is_inference_mode_enabled()


def test_without_a_condition_the_video_still_starts_with_the_picture(animator, pictures):
    model = make_motion_diffusion(animator.weights_hash(), motion_condition=dict(type='NoMotionCondition'))
    frames = frames_of(VideoGenerator(animator, model).generate(pictures[0], 5))
    with_condition = frames_of(VideoGenerator(animator, make_motion_diffusion(None)).generate(pictures[0], 1))
    assert_same(frames[:, :1], with_condition)


def test_codes_of_another_animator_are_refused(animator):
    with pytest.raises(UserError, match='animator'):
        VideoGenerator(animator, make_motion_diffusion(make_animator(seed=9).weights_hash()))
    with pytest.raises(UserError, match='motion dimensions'):
        VideoGenerator(animator, make_motion_diffusion(None, motion_dim=6))


@pytest.mark.parametrize('options, message', [
    (dict(num_frames=0), 'num_frames'), (dict(num_frames=3, num_sequences=0), 'num_sequences'),
    (dict(num_frames=3, seed=-1), 'seed')])
def test_bad_numbers_are_one_sentence(generator, pictures, options, message):
    with pytest.raises(UserError, match=message):
        next(generator.generate(pictures[0], **options))
