"""Which form of the generator renders."""

from types import SimpleNamespace

import pytest
import torch

import leokit
from leokit.flow_generators.fused_decoder import can_fuse
from leokit.inference import DrivingCodes, VideoAnimator, encode, frame_decoder
from leokit.inference.chunk_runner import ChunkRunner
from leokit.inference.live import LiveAnimator

from support.tiny_models import SIZE

FRAME = 0.25


class Fused:
    """In place of the fused decoder, whose kernels need a GPU."""

    def __init__(self, generator, features, dtype):
        self.given = generator, features, dtype
        self.latents = []

    def __call__(self, latent):
        self.latents.append(latent)
        size = self.given[1][-1].shape[-1]
        return torch.full((len(latent), 3, size, size), FRAME)


@pytest.fixture
def made(monkeypatch):
    """The fused decoders made, as if the features were on a GPU."""
    made, on_gpu = [], SimpleNamespace(is_cuda=True)
    monkeypatch.setattr('leokit.flow_generators.fused_decoder.HAS_TRITON', True)
    monkeypatch.setattr(frame_decoder, 'can_fuse', lambda generator, features: can_fuse(
        generator, tuple(on_gpu for _ in features)))
    monkeypatch.setattr(frame_decoder, 'FusedDecoder', lambda *given: made.append(Fused(*given)) or made[-1])
    return made


def test_the_generator_itself_where_nothing_can_be_fused(animator, images):
    encoding, latent = encode(animator, images), torch.randn(4, animator.appearance_dim)
    for amp in (False, True):
        with torch.no_grad():
            frames = frame_decoder.frame_decoder(animator.flow_generator, encoding.features, amp=amp)(latent)
            assert torch.equal(frames, animator.flow_generator(latent, encoding.features).frames)


def test_the_fused_one_in_mixed_precision(animator, images, made):
    encoding = encode(animator, images)
    generator = animator.flow_generator
    frame_decoder.frame_decoder(generator, encoding.features, amp=False)
    assert not made
    frame_decoder.frame_decoder(torch.compile(generator), encoding.features, amp=True)
    assert made[0].given[0] is generator and made[0].given[1] is encoding.features
    assert made[0].given[2] == torch.bfloat16


def test_chunks_are_rendered_by_it(animator, images, made):
    encoding, codes = encode(animator, images), torch.randn(2, 3, animator.motion_dim)
    frames = ChunkRunner(animator, 6, amp=True).renderer(encoding)(codes)
    assert frames.shape == (2, 3, 3, SIZE, SIZE) and (frames == FRAME).all()
    latent, = made[0].latents
    with torch.no_grad():
        expected = animator.motion_space(encoding.appearance, codes).flatten(0, 1)
    torch.testing.assert_close(latent, expected)


def test_live_frames_are_rendered_by_it(animator, images, made):
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    session = LiveAnimator(animator, pixels[0], amp=True)
    assert (session(pixels[1]) == round((FRAME + 1) * 127.5)).all()
    session.set_source(pixels[1])
    session(pixels[0])
    assert [len(fused.latents) for fused in made] == [1, 1]
    assert torch.equal(made[1].given[1][0], session._encoding.features[0])


def test_the_model_in_the_box_is_rendered_by_it(images, made):
    animator = leokit.load('leo_synthetic/animator')
    assert animator.flow_generator.levels[-1].inpaint_rgb is not None
    pixels = torch.nn.functional.interpolate(images, size=(animator.size, animator.size))
    draw = ChunkRunner(animator, 2, amp=True).renderer(encode(animator, pixels[:1]))
    frames = draw(torch.zeros(1, 2, animator.motion_dim))
    assert frames.shape == (1, 2, 3, animator.size, animator.size) and (frames == FRAME).all()
    array = ((pixels[0] + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert (LiveAnimator(animator, array, amp=True)(array) == round((FRAME + 1) * 127.5)).all()
    assert [len(fused.latents) for fused in made] == [1, 1]


def test_short_videos_are_rendered_by_the_generator(animator, images, made, monkeypatch):
    monkeypatch.setattr('leokit.inference.chunk_runner.device_of', lambda model: torch.device('cuda'))
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for length, is_fused in ((15, False), (16, True)):
        driving = DrivingCodes(torch.randn(length, animator.motion_dim), 25, animator.code_origin)
        frames = torch.cat(list(VideoAnimator(animator, amp=True).animate(pixels[0], driving, chunk_size=2)), 1)
        assert frames.shape == (1, length, 3, SIZE, SIZE)
        assert bool((frames == FRAME).all()) is is_fused and len(made) == is_fused
