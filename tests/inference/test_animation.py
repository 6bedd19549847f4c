"""Motion transfer."""

import pytest
import torch

from leokit.inference import MotionTransfer, VideoAnimator
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8
from support.tiny_models import SIZE

TOLERANCE = 1e-4  # sums run in another order in batches of another size


@pytest.fixture
def driving():
    frames = torch.rand(7, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4)) * 2 - 1
    return to_uint8(frames)


def animate(animator, source, driving, **options):
    return torch.cat(list(VideoAnimator(animator).animate(source, driving, **options)), dim=1)


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_chunked_rendering_equals_one_pass(animator, images, driving, mode):
    with torch.no_grad():
        encoding = animator.encode(images)
        codes = animator.encode(from_uint8(driving)).motion[None].expand(2, -1, -1)
        start = codes[:, 0] if mode == 'relative' else None
        expected = animator.animate(encoding, codes, start).frames.clamp(-1, 1)
    for chunk_size in (1, 3, 64):
        frames = animate(animator, images, driving, mode=mode, chunk_size=chunk_size)
        torch.testing.assert_close(frames, expected, atol=TOLERANCE, rtol=0)


def test_relative_transfer_starts_with_the_source(animator, images, driving):
    frames = animate(animator, images[0], driving)
    with torch.no_grad():
        encoding = animator.encode(images[:1])
        itself = animator.animate(encoding, encoding.motion).frames.clamp(-1, 1)
    torch.testing.assert_close(frames[:, 0], itself, atol=TOLERANCE, rtol=0)
    absolute = animate(animator, images[0], driving, mode='absolute')
    assert (absolute - frames).abs().amax() > 0.01


def test_an_unknown_mode_is_an_error(animator, images, driving):
    with pytest.raises(UserError, match='relative, absolute'):
        animate(animator, images, driving, mode='both')


def test_codes_are_those_of_the_frames(animator, driving):
    codes = torch.cat(list(VideoAnimator(animator).codes(driving, chunk_size=3)), dim=1)
    with torch.no_grad():
        expected = animator.encode(from_uint8(driving)).motion
    torch.testing.assert_close(codes[0], expected, atol=TOLERANCE, rtol=0)


def test_on_a_cpu_the_first_frame_does_not_wait_for_others(animator, images, driving, monkeypatch):
    encoded = []
    encode = type(animator).encode
    monkeypatch.setattr(type(animator), 'encode',
                        lambda self, frames, **options: encoded.append(len(frames)) or encode(self, frames, **options))
    stream = VideoAnimator(animator).animate(images, driving, chunk_size=6)  # three of each source at a time
    assert next(stream).shape[:2] == (2, 1) and encoded == [2, 1]
    assert [chunk.shape[1] for chunk in stream] == [3, 2, 1] and encoded == [2, 1, 5, 1]
    assert [chunk.shape[1] for chunk in VideoAnimator(animator).animate(images[:1], driving[:1])] == [1]


def test_the_nearest_of_evenly_spaced_frames_is_found_before_the_others_are_encoded(animator, images, monkeypatch):
    video = to_uint8(torch.rand(57, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(6)) * 2 - 1)
    with torch.no_grad():
        codes, source = animator.encode(from_uint8(video)).motion, animator.encode(images[:1]).motion
    few = codes[::8].double()  # 8 of 57
    distances = (((few - source.double()) / few.std(0, correction=0)) ** 2).sum(1)
    nearest = 8 * int(distances.argmin())
    encoded = []
    whole = animator.encode
    monkeypatch.setattr(animator, 'encode', lambda frames: encoded.append(len(frames)) or whole(frames))
    transfer = MotionTransfer(start_frame='auto')
    stream = VideoAnimator(animator).animate(images[:1], video, transfer=transfer, chunk_size=5)
    first = next(stream)
    assert encoded == [1, 8, 1] and transfer.start_frames == (nearest,)
    frames = torch.cat([first, *stream], dim=1)
    with torch.no_grad():
        moved = animator.animate(animator.encode(images[:1]), codes[None], codes[nearest][None]).frames.clamp(-1, 1)
    torch.testing.assert_close(frames, moved, atol=TOLERANCE, rtol=0)
