"""Chunks change nothing but memory."""

import pytest
import torch

from leokit.inference import render, repeat_encoding

from support.tiny_models import MOTION_DIM, SIZE

TOLERANCE = 1e-4  # sums run in another order in batches of another size


@pytest.fixture
def motion():
    return torch.randn(2, 7, MOTION_DIM, generator=torch.Generator().manual_seed(3))


def test_equals_one_pass_whatever_the_chunks(animator, pictures, motion):
    with torch.no_grad():
        encoding = animator.encode(pictures)
        whole = animator.animate(encoding, motion).frames.clamp(-1, 1)
    assert (whole[:, 1:] - whole[:, :-1]).abs().amax() > 0.01  # the codes show
    for chunk_size in (1, 4, 100):
        chunks = list(render(animator, encoding, motion, chunk_size=chunk_size))
        assert all(chunk.shape[0] * chunk.shape[1] <= max(chunk_size, 2) for chunk in chunks)
        torch.testing.assert_close(torch.cat(chunks, 1), whole, atol=TOLERANCE, rtol=0)
    pieces = iter(motion.split([3, 1, 3], dim=1))
    torch.testing.assert_close(torch.cat(list(render(animator, encoding, pieces)), 1), whole, atol=TOLERANCE, rtol=0)


def test_relative_to_a_start(animator, pictures, motion):
    encoding = animator.encode(pictures)
    start = motion[:, 0]
    relative = next(render(animator, encoding, motion, start=start))
    absolute = next(render(animator, encoding, motion - start[:, None] + encoding.motion[:, None]))
    torch.testing.assert_close(relative, absolute, atol=TOLERANCE, rtol=0)


def test_pieces_are_asked_for_when_needed(animator, pictures, motion):
    asked = []

    def pieces():
        for number in range(3):
            asked.append(number)
            yield motion

    frames = render(animator, animator.encode(pictures), pieces(), chunk_size=14)
    next(frames)
    assert asked == [0]


def test_consumer_is_left_in_its_own_mode(animator, pictures, motion):
    frames = next(render(animator, animator.encode(pictures), motion))
    assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    assert not frames.is_inference()


def test_repeated_sources_stand_side_by_side(animator, pictures):
    encoding = animator.encode(pictures)
    repeated = repeat_encoding(encoding, 3)
    assert repeated.features[-1].shape[0] == 6
    torch.testing.assert_close(repeated.motion[0], repeated.motion[2])
    torch.testing.assert_close(repeated.appearance[3:], encoding.appearance[1:].expand(3, -1))
    single = animator.encode(pictures[:1])
    assert repeat_encoding(single, 3) is single


def test_programmer_errors(animator, pictures, motion):
    encoding = animator.encode(pictures)
    with pytest.raises(ValueError, match='chunk_size'):
        next(render(animator, encoding, motion, chunk_size=0))
    with pytest.raises(ValueError, match='motion must have shape'):
        next(render(animator, encoding, motion[..., :2]))
    assert SIZE == animator.size
