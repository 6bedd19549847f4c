"""Chunks change nothing but memory."""

from copy import deepcopy

import pytest
import torch

from leokit.inference import render, repeat_encoding

from support.tiny_models import MOTION_DIM, SIZE

TOLERANCE = 1e-4  # sums run in another order in batches of another size


@pytest.fixture
def motion():
    return torch.randn(2, 7, MOTION_DIM, generator=torch.Generator().manual_seed(3))


def test_chunked_rendering_equals_one_pass(animator, images, motion):
    with torch.no_grad():
        encoding = animator.encode(images)
        whole = animator.animate(encoding, motion).frames.clamp(-1, 1)
    assert (whole[:, 1:] - whole[:, :-1]).abs().amax() > 0.01  # the codes show
    for chunk_size in (1, 4, 100):
        chunks = list(render(animator, encoding, motion, chunk_size=chunk_size))
        assert all(chunk.shape[0] * chunk.shape[1] <= max(chunk_size, 2) for chunk in chunks)
        torch.testing.assert_close(torch.cat(chunks, 1), whole, atol=TOLERANCE, rtol=0)
    pieces = iter(motion.split([3, 1, 3], dim=1))
    torch.testing.assert_close(torch.cat(list(render(animator, encoding, pieces)), 1), whole, atol=TOLERANCE, rtol=0)


def test_directions_are_computed_once_for_all_chunks(animator, images, motion, monkeypatch):
    animator = deepcopy(animator)
    encoding, computed, space = animator.encode(images), [], animator.motion_space
    directions = space.directions
    monkeypatch.setattr(space, 'directions', lambda: computed.append(1) or directions())
    assert len(list(render(animator, encoding, motion, chunk_size=2))) == 7 and len(computed) == 1
    before = next(render(animator, encoding, motion))
    with torch.no_grad():  # the next rendering uses the weights as they are then
        space.weight.copy_(space.weight.flip(0))
    assert (next(render(animator, encoding, motion)) - before).abs().max() > 1e-3


def test_relative_to_a_start(animator, images, motion):
    encoding = animator.encode(images)
    start = motion[:, 0]
    relative = next(render(animator, encoding, motion, start=start))
    absolute = next(render(animator, encoding, motion - start[:, None] + encoding.motion[:, None]))
    torch.testing.assert_close(relative, absolute, atol=TOLERANCE, rtol=0)


def test_pieces_are_requested_when_needed(animator, images, motion):
    requested = []

    def pieces():
        for number in range(3):
            requested.append(number)
            yield motion

    frames = render(animator, animator.encode(images), pieces(), chunk_size=14)
    next(frames)
    assert requested == [0]


def test_inference_mode_does_not_leak_to_the_caller(animator, images, motion):
    frames = next(render(animator, animator.encode(images), motion))
    assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    assert not frames.is_inference()


def test_repeats_of_one_source_are_adjacent(animator, images):
    encoding = animator.encode(images)
    repeated = repeat_encoding(encoding, 3)
    assert repeated.features[-1].shape[0] == 6
    torch.testing.assert_close(repeated.motion[0], repeated.motion[2])
    torch.testing.assert_close(repeated.appearance[3:], encoding.appearance[1:].expand(3, -1))
    single = animator.encode(images[:1])
    assert repeat_encoding(single, 3) is single


def test_invalid_arguments(animator, images, motion):
    encoding = animator.encode(images)
    with pytest.raises(ValueError, match='chunk_size'):
        next(render(animator, encoding, motion, chunk_size=0))
    with pytest.raises(ValueError, match='motion must have shape'):
        next(render(animator, encoding, motion[..., :2]))
    assert SIZE == animator.size
