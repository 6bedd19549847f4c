"""Which form of the encoder gives motion codes."""

import copy

import numpy as np
import pytest
import torch

from leokit.datasets.code_cache import CodeCache
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.encoders.fused_encoder import can_fuse
from leokit.inference import encode, extract_motion_codes, frame_encoder
from leokit.inference.chunk_runner import ChunkRunner
from leokit.inference.live import LiveAnimator
from leokit.utils import UserError
from leokit.video.video_index import VideoIndex

from support.tiny_models import MOTION_DIM, SIZE

CODE = 0.25


class Fused:
    """In place of the fused encoder, whose kernels need a GPU."""

    def __init__(self, encoder, dtype):
        self.given = encoder, dtype
        self.sizes = []

    def codes(self, images):
        assert images.dtype == torch.uint8
        self.sizes.append(len(images))
        return torch.full((len(images), MOTION_DIM), CODE)


@pytest.fixture
def made(monkeypatch):
    """The fused encoders made, as if models were on a GPU."""
    made = []
    monkeypatch.setattr('leokit.encoders.fused_encoder.HAS_TRITON', True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (9, 0))
    monkeypatch.setattr(frame_encoder, 'can_fuse', lambda encoder, device: can_fuse(encoder, torch.device('cuda')))
    monkeypatch.setattr(frame_encoder, 'FusedEncoder', lambda *given: made.append(Fused(*given)) or made[-1])
    return made


@pytest.fixture
def pixels(images):
    return ((images + 1) * 127.5).round().to(torch.uint8)


@pytest.mark.parametrize('amp', [False, True])
def test_the_encoder_itself_where_nothing_can_be_fused(animator, pixels, amp):
    images = pixels / 127.5 - 1
    to_codes = frame_encoder.frame_encoder(animator.encoder, amp=amp)  # on a CPU
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16, enabled=amp):
        expected = animator.encoder(images.contiguous(memory_format=torch.channels_last)).motion
    for frames in (pixels, images):
        codes = to_codes(frames)
        assert codes.dtype == torch.float32 and not codes.requires_grad
        torch.testing.assert_close(codes, expected.float(), rtol=1e-4, atol=1e-5)
    assert torch.equal(expected, expected.bfloat16()) is amp


def test_the_fused_one_in_mixed_precision(animator, made, monkeypatch):
    encoder = animator.encoder
    choose = frame_encoder.frame_encoder
    choose(encoder, amp=False)
    choose(encoder, amp=True, fused=False)
    choose(torch.nn.Linear(1, 1), amp=True)
    assert not made
    assert choose(torch.compile(encoder), amp=True) == made[0].codes
    assert made[0].given == (encoder, torch.bfloat16)
    monkeypatch.setattr(frame_encoder, 'can_fuse', can_fuse)
    choose(encoder, amp=True)  # on a CPU
    assert len(made) == 1


@pytest.mark.parametrize('amp', [False, True])
def test_weights_of_another_precision_are_refused(animator, made, amp):
    with pytest.raises(UserError, match='LIAEncoder has weights of type torch.float16'):
        frame_encoder.frame_encoder(copy.deepcopy(animator.encoder).half(), amp=amp)


def test_chunks_are_encoded_by_it(animator, pixels, made):
    runner = ChunkRunner(animator, 6, amp=True)
    runner.renderer(encode(animator, pixels[:1]))
    assert not made  # nothing has been encoded in chunks
    for count in (2, 1):
        assert torch.equal(runner.codes(pixels[:count]), torch.full((count, MOTION_DIM), CODE))
    fused, = made
    assert fused.sizes == [6, 6]
    expected = encode(animator, pixels[:2]).motion
    torch.testing.assert_close(ChunkRunner(animator, 6).codes(pixels[:2]), expected, rtol=1e-4, atol=1e-5)
    assert len(made) == 1


def test_live_frames_are_encoded_by_it(animator, pixels, made):
    portrait, frame = pixels[:2].permute(0, 2, 3, 1).numpy()
    session = LiveAnimator(animator, portrait, amp=True)
    code, = session._encode(pixels[1:2])
    assert (code == CODE).all()
    session(frame)
    session.set_source(frame)
    session(frame)
    assert [fused.sizes for fused in made] == [[1, 1, 1]]


@pytest.mark.parametrize('frames, is_fused', [(15, False), (16, True)])
def test_short_videos_are_encoded_by_the_encoder(animator, made, tmp_path, frames, is_fused):
    (tmp_path / 'videos').mkdir()
    np.save(tmp_path / 'videos' / 'a.npy', np.zeros((frames, SIZE, SIZE, 3), np.uint8))
    with CodeCacheWriter(tmp_path / 'codes', MOTION_DIM, animator=dict(weights_hash=animator.weights_hash())) as writer:
        extract_motion_codes(animator, VideoIndex(tmp_path / 'videos', cache_probes=False), writer, batch_size=2,
                             amp=True, show_progress=False)
    codes = CodeCache(tmp_path / 'codes').codes
    assert codes.shape == (frames, MOTION_DIM)
    assert bool((codes == CODE).all()) is is_fused
    assert [fused.sizes for fused in made] == [[2] * 8] * is_fused
