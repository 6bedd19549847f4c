import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from leokit.evaluation.clip_loader import crop_frames
from leokit.evaluation.clip_preprocessing import prepare_clips, prepare_generated, resize_frames
from leokit.evaluation.protocol import RESIZES, FrameRule, Protocol
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8


def frames(*shape, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (*shape, 3)).astype(np.uint8)


def test_center_crop_keeps_the_central_square():
    wide = frames(2, 4, 9)
    assert np.array_equal(crop_frames(wide, 'center_crop'), wide[:, :, 2:6])
    tall = frames(2, 8, 5)
    assert np.array_equal(crop_frames(tall, 'center_crop'), tall[:, 1:6])
    assert crop_frames(wide, 'stretch').shape == wide.shape


@pytest.mark.parametrize('resize', RESIZES)
def test_every_filter_gives_the_size_and_keeps_a_constant(resize):
    gray = torch.full((2, 3, 20, 20, 3), 100, dtype=torch.uint8)
    result = resize_frames(gray, FrameRule(8, resize=resize))
    assert result.shape == (2, 3, 3, 8, 8) and result.dtype == torch.float32
    torch.testing.assert_close(result, torch.full_like(result, 100 / 127.5 - 1))


def test_bilinear_is_the_half_pixel_filter_without_rounding():
    pixels = torch.from_numpy(frames(1, 12, 12))
    expected = functional.interpolate(pixels.movedim(-1, 1).float(), size=(16, 16), mode='bilinear',
                                      align_corners=False)
    torch.testing.assert_close(resize_frames(pixels, FrameRule(16, resize='bilinear')), expected / 127.5 - 1)


def test_frames_of_the_right_size_pass_unchanged(monkeypatch):
    monkeypatch.setattr(functional, 'interpolate', None)  # they are not filtered
    pixels = torch.from_numpy(frames(2, 5, 16, 16))
    for resize in RESIZES:
        assert torch.equal(resize_frames(pixels, FrameRule(16, resize=resize)), from_uint8(pixels.movedim(-1, 2)))
    wide = torch.from_numpy(frames(2, 4, 6))
    assert torch.equal(resize_frames(wide, FrameRule(None)), from_uint8(wide.movedim(-1, 1)))


def test_the_size_of_both_sides_decides():
    for shape in ((16, 8), (8, 16)):
        assert resize_frames(torch.from_numpy(frames(2, *shape)), FrameRule(16)).shape == (2, 3, 16, 16)


def test_cubic_overshoot_is_clamped():
    stripes = np.zeros((1, 32, 32, 3), np.uint8)
    stripes[:, :, ::5] = 255
    assert resize_frames(torch.from_numpy(stripes), FrameRule(48, resize='bicubic_antialias')).abs().max() <= 1


def test_clips_of_several_sizes_keep_their_order():
    clips = [frames(4, 12, 12, seed=0), frames(4, 20, 20, seed=1), frames(4, 12, 12, seed=2)]
    rule = FrameRule(8)
    together = prepare_clips(clips, rule, torch.device('cpu'))
    assert together.shape == (3, 4, 3, 8, 8)
    for clip, prepared in zip(clips, together):
        torch.testing.assert_close(prepared, prepare_clips([clip], rule, torch.device('cpu'))[0])
    assert torch.equal(prepare_clips(clips[::2], FrameRule(None), torch.device('cpu'))[1],
                       from_uint8(torch.from_numpy(clips[2]).movedim(-1, 1)))


def test_sizes_without_a_resolution_are_named_in_order():
    clips = [frames(2, side, 8) for side in (20, 9, 31, 12, 16)]
    listed = re.escape(str([(2, side, 8, 3) for side in (9, 12, 16, 20, 31)]))
    with pytest.raises(ValueError, match=f'clips of different sizes {listed} need a resolution'):
        prepare_clips(clips, FrameRule(None), torch.device('cpu'))


def test_generated_videos_are_prepared_like_files():
    protocol = Protocol.from_dict(dict(name='t', clips=dict(length=3, stride=2), frames=dict(resolution=8)))
    video = torch.rand(1, 7, 3, 10, 12, generator=torch.Generator().manual_seed(0)) * 2.4 - 1.2
    saved = ((video.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).movedim(2, -1)[0].numpy()
    from_file = prepare_clips([crop_frames(saved[[0, 2, 4]], 'center_crop')], protocol.frames, torch.device('cpu'))
    assert torch.equal(prepare_generated(video, protocol), from_file)


def test_generated_videos_that_are_too_short_or_not_numbers_are_refused():
    protocol = Protocol.from_dict(dict(name='t', clips=dict(length=3, stride=2)))
    with pytest.raises(UserError, match='have 4 frames and the protocol t needs 5'):
        prepare_generated(torch.zeros(1, 4, 3, 8, 8), protocol)
    with pytest.raises(ValueError, match='videos must have shape'):
        prepare_generated(torch.zeros(1, 5, 4, 8, 8), protocol)
    with pytest.raises(ValueError, match='NaN'):
        prepare_generated(torch.full((1, 5, 3, 8, 8), float('nan')), protocol)


def taps(scale, weights):
    """Shrink rows of noise by a filter: the weights of consecutive pixels around each new center, normalized."""
    radius = len(weights) // 2

    def filtered(rows):  # (..., W)
        inner = [rows[..., center - radius:center + radius] for center in range(scale // 2, rows.shape[-1], scale)
                 if radius <= center <= rows.shape[-1] - radius]
        return np.stack([(part * weights).sum(-1) / np.sum(weights) for part in inner], -1)
    return filtered


# one new pixel of 4, with the new center between pixels 1 and 2; distances of old centers from it are 0.5, 1.5, ...
SHRINK = dict(
    bilinear=[1, 1],  # the two neighbors, whatever the scale: it aliases
    bilinear_antialias=[1, 3, 5, 7, 7, 5, 3, 1],  # 1 - d / 4
    bicubic_antialias=[cubic for side in (1, -1) for cubic in [
        (lambda d: 1.5 * d**3 - 2.5 * d**2 + 1 if d < 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2)(distance / 8)
        for distance in (15, 13, 11, 9, 7, 5, 3, 1)[::side]]],  # Keys' cubic with a = -0.5
    area=[1, 1, 1, 1],
    nearest=[0, 1])


@pytest.mark.parametrize('resize', RESIZES)
def test_shrinking_by_hand(resize):
    """Each filter by its definition, in the interior, where no tap is outside."""
    pixels = frames(1, 48, 48)
    shrink = taps(4, np.array(SHRINK[resize]))
    expected = shrink(shrink(pixels[0].transpose(2, 0, 1).astype(float)).swapaxes(1, 2)).swapaxes(1, 2)
    found = resize_frames(torch.from_numpy(pixels), FrameRule(12, resize=resize))[0].numpy()
    margin = (12 - expected.shape[-1]) // 2
    inner = slice(margin, 12 - margin)
    np.testing.assert_allclose(found[:, inner, inner], (expected / 127.5 - 1).clip(-1, 1), atol=1e-4)
