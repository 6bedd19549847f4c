"""Chunks of one size give the frames that the networks give chunk by chunk."""

import numpy as np
import pytest
import torch

from leokit.inference import (
    StartFrameSampler, UnconditionalGenerator, VideoAnimator, VideoGenerator, encode, render)
from leokit.inference.chunk_runner import ChunkRunner, chunk_runner
from support.tiny_models import SIZE, make_animator, make_motion_diffusion

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


@pytest.mark.parametrize('chunk_size', [1, 6, 16, 64])
def test_generated_frames_are_the_same_in_chunks_of_one_size(animator, motion_diffusion, images, chunk_size):
    for given, num_sequences in ((images, 1), (images[:1], 3)):  # an encoding for each row, and one for all
        plain, fixed = (VideoGenerator(animator, motion_diffusion, fixed_chunks=chosen).generate(
            given, 13, num_sequences=num_sequences, seed=3, chunk_size=chunk_size) for chosen in (False, True))
        frames = collect(plain)
        assert frames.shape[1] == 13 and float((frames[:, 1:] - frames[:, :-1]).abs().max()) > 0.01
        assert torch.allclose(frames, collect(fixed), atol=TOLERANCE)


def test_unconditional_videos_are_the_same_in_chunks_of_one_size(animator, motion_diffusion, start_code, start_frame):
    plain, fixed = (collect(UnconditionalGenerator(
        VideoGenerator(animator, motion_diffusion, fixed_chunks=chosen), start_code, StartFrameSampler(start_frame)
    ).generate(2, 8, seed=1, chunk_size=6)) for chosen in (False, True))
    assert plain.shape == (2, 8, 3, SIZE, SIZE) and torch.allclose(plain, fixed, atol=TOLERANCE)


def test_a_generator_calls_the_network_in_one_shape(animator, motion_diffusion, images, monkeypatch):
    shapes = []
    whole = animator.flow_generator.forward
    monkeypatch.setattr(animator.flow_generator, 'forward',
                        lambda latent, features: shapes.append(len(latent)) or whole(latent, features))
    collect(VideoGenerator(animator, motion_diffusion, fixed_chunks=True).generate(images, 13, chunk_size=7))
    assert set(shapes) == {6}  # two videos, three steps


def test_graphs_are_for_many_frames_on_a_gpu(animator, monkeypatch):
    assert chunk_runner(animator, 10**6, 4) is None  # on a CPU
    monkeypatch.setattr('leokit.inference.chunk_runner.device_of', lambda model: torch.device('cuda'))
    assert chunk_runner(animator, 32, 4) is not None
    for num_frames in (31, None):
        assert chunk_runner(animator, num_frames, 4) is None
        assert chunk_runner(animator, num_frames, 4, fixed_chunks=True) is not None
    assert chunk_runner(animator, 32, 4, fixed_chunks=False) is None


def check_precision(exact, plain, fixed):
    """Both in bfloat16, by other kernels: the error of the graphs may not be larger than that of the networks."""
    of_plain, of_fixed = (float((frames - exact).abs().mean()) for frames in (plain, fixed))
    assert of_plain < 0.1 and of_fixed < 2 * of_plain


@pytest.mark.gpu
def test_graphs_give_the_frames_of_the_networks(images, video, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)  # algorithms differ between sizes of batches
    animator = make_animator().cuda()
    plain, fixed, plain_amp, fixed_amp = (
        collect(VideoAnimator(animator, amp=amp, fixed_chunks=chosen).animate(images, video, chunk_size=4))
        for amp in (False, True) for chosen in (False, True))
    assert torch.allclose(plain, fixed, atol=1e-3)
    check_precision(plain, plain_amp, fixed_amp)
    assert float((fixed[:, 1:] - fixed[:, :-1]).abs().max()) > 0.01


@pytest.mark.gpu
def test_graphs_give_the_generated_frames_of_the_networks(images, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    animator = make_animator().cuda()
    model = make_motion_diffusion(animator.weights_hash()).cuda()
    for given, count in ((images, 1), (images[:1], 5)):
        plain, fixed, plain_amp, fixed_amp = (
            collect(VideoGenerator(animator, model, amp=amp, fixed_chunks=chosen).generate(
                given, 13, num_sequences=count, seed=3, chunk_size=6))
            for amp in (False, True) for chosen in (False, True))
        assert torch.allclose(plain, fixed, atol=1e-3)
        check_precision(plain, plain_amp, fixed_amp)
        assert float((fixed[:, 1:] - fixed[:, :-1]).abs().max()) > 0.01
