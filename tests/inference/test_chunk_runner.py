"""Chunks of one size give the frames that the networks give chunk by chunk."""

import numpy as np
import pytest
import torch

from leokit.inference import VideoAnimator, encode, render
from leokit.inference.chunk_runner import ChunkRunner
from support.tiny_models import SIZE, make_animator

TOLERANCE = 1e-4


@pytest.fixture
def video():
    return np.random.default_rng(5).integers(0, 256, (11, SIZE, SIZE, 3), dtype=np.uint8)


def collect(chunks):
    return torch.cat(list(chunks), dim=1)


@pytest.mark.parametrize('chunk_size', [1, 4, 16])
def test_filled_chunks_change_nothing(animator, images, video, chunk_size):
    plain = collect(VideoAnimator(animator).animate(images, video, chunk_size=chunk_size))
    fixed = collect(VideoAnimator(animator, fixed_chunks=True).animate(images, video, chunk_size=chunk_size))
    assert plain.shape == fixed.shape == (2, 11, 3, SIZE, SIZE)
    assert torch.allclose(plain, fixed, atol=TOLERANCE)


def test_all_calls_have_one_shape(animator, images, monkeypatch):
    shapes = set()
    runner = ChunkRunner(animator, 4)
    whole = animator.flow_generator.forward
    monkeypatch.setattr(animator.flow_generator, 'forward',
                        lambda latent, features: shapes.add(len(latent)) or whole(latent, features))
    encoding = encode(animator, images)
    draw = runner.renderer(encoding)
    for steps in (2, 1):  # of two sources
        codes = torch.randn(2, steps, animator.motion_dim)
        expected = collect(render(animator, encoding, codes))
        shapes.clear()
        assert torch.allclose(draw(codes), expected, atol=TOLERANCE)
        assert shapes == {4}


def test_a_cpu_calls_the_networks_as_they_are(animator, images, video):
    assert VideoAnimator(animator)._runner(video.repeat(100, 0), 4) is None


@pytest.mark.gpu
@pytest.mark.parametrize('amp', [False, True])
def test_graphs_give_the_frames_of_the_networks(images, video, amp):
    animator = make_animator().cuda()
    plain = collect(VideoAnimator(animator, amp=amp, fixed_chunks=False).animate(images, video, chunk_size=4))
    fixed = collect(VideoAnimator(animator, amp=amp, fixed_chunks=True).animate(images, video, chunk_size=4))
    assert torch.allclose(plain, fixed, atol=0.1 if amp else 1e-3)
    assert float((fixed[:, 1:] - fixed[:, :-1]).abs().max()) > 0.01
