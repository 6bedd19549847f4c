"""Textured faces: textures stick to what they belong to, and nothing else about the faces changes."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from leokit.synthetic_faces import (
    MOTION_NAMES, NEUTRAL_MOTION, TEXTURE_NAMES, SyntheticFacesPlan, render_faces, sample_identities, sample_textures,
    write_clip)
from leokit.synthetic_faces.geometry import VIEW
from leokit.synthetic_faces.noise import fractal_noise
from leokit.utils import UserError
from leokit.video import open_video

# a camera that changes nothing, light without direction, no textures
PLAIN = dict.fromkeys(TEXTURE_NAMES, 0.0) | dict.fromkeys(
    ('contrast', 'gamma', 'red', 'green', 'blue', 'cloth_scale', 'clutter_scale', 'teeth_shade', 'mouth_depth', 'zoom'),
    1.0)


def pose(**changes):
    values = dict(zip(MOTION_NAMES, NEUTRAL_MOTION)) | changes
    return torch.tensor([[values[name] for name in MOTION_NAMES]])


def textures(**changes):
    return torch.tensor([[(PLAIN | changes)[name] for name in TEXTURE_NAMES]])


def draw(motion=None, number=0, size=128, look=None, **options):
    appearance = torch.from_numpy(sample_identities([number]))
    return render_faces(appearance, pose() if motion is None else motion, size=size, textures=look, **options).float()


def change(motion=None, **changes):
    """What textures add to an image, brightness in gray levels, (H, W)."""
    return (draw(motion, look=textures(**changes)) - draw(motion))[0].mean(0)


def test_without_textures_it_is_the_drawn_face():
    motion = torch.cat([pose(), pose(yaw=25.0, mouth_open=0.8)])
    teeth_only = textures()  # corners of the mouth are shaded
    same = (draw(motion, look=teeth_only) - draw(motion)).abs().amax(1) > 1
    assert not same[0].any() and same[1].float().mean() < 0.005


def test_it_is_the_same_in_any_batch_and_differs_between_identities_and_frames():
    look = torch.from_numpy(sample_textures([3]))
    motion = torch.cat([pose(yaw=float(angle)) for angle in range(10)])
    together = draw(motion, 3, look=look)
    pieces = [draw(motion[k:k + 1], 3, look=look, first_frame=k) for k in range(10)]
    assert (together - torch.cat(pieces)).abs().max() <= 1
    still = draw(pose().expand(4, -1), 3, look=look)
    grain = (still[1:] - still[:-1]).std()  # two draws of noise, and rounding
    wanted = 255 * float(look[0, TEXTURE_NAMES.index('noise')]) * 2**0.5
    assert 0.7 * wanted < grain < 1.3 * wanted + 0.5
    other = draw(pose(), 3, look=torch.from_numpy(sample_textures([4])))
    assert (other - still[:1]).abs().mean() > 5
    rows = sample_textures(range(50), seed=1)
    assert rows.shape == (50, len(TEXTURE_NAMES)) and rows.dtype == np.float32
    assert np.array_equal(rows[[7]], sample_textures([7], seed=1))
    assert not np.array_equal(rows, sample_textures(range(50)))


def test_several_identities_in_one_batch():
    appearance, look = (torch.from_numpy(sample([1, 2])) for sample in (sample_identities, sample_textures))
    both = render_faces(appearance, pose().expand(2, -1), size=32, textures=look)
    for row in (0, 1):
        alone = render_faces(appearance[row:row + 1], pose(), size=32, textures=look[row:row + 1], first_frame=row)
        assert (both[row].int() - alone[0].int()).abs().max() <= 1
    with pytest.raises(ValueError, match='textures must have 2 rows'):
        render_faces(appearance, pose().expand(2, -1), size=32, textures=look[:1])


@pytest.mark.parametrize('name', ['skin_mottle', 'skin_pores'])
def test_skin_moves_with_the_head_and_the_background_does_not(name):
    shift = 16  # pixels
    still, moved = (change(motion, **{name: 0.2}) for motion in (pose(), pose(tx=shift * 2 * VIEW / 128)))
    center = still[40:90, 40:80]
    assert center.std() > 1
    torch.testing.assert_close(moved[40:90, 40 + shift:80 + shift], center, atol=1.01, rtol=0)
    assert not still[:10].any()
    still, moved = (change(motion, clutter=0.5) for motion in (pose(), pose(tx=shift * 2 * VIEW / 128)))
    assert still[:16].std() > 5 and torch.equal(still[:16], moved[:16])
    assert not still[50:80, 50:75].any()  # the face is in front of it


def test_the_light_comes_from_its_side_and_does_not_turn():
    for motion in (pose(), pose(yaw=30.0)):
        lit = change(motion, light_x=0.9, light_strength=0.5)
        mirrored = change(motion, light_x=-0.9, light_strength=0.5)
        assert lit[50:90, 70:80].mean() > 5 + lit[50:90, 45:55].mean()
        assert mirrored[50:90, 45:55].mean() > 5 + mirrored[50:90, 70:80].mean()
        assert not lit[:8].any()


def test_teeth_are_within_an_open_mouth():
    closed = change(pose(), teeth_gaps=0.5, teeth_count=7, teeth_lower=0.3, mouth_depth=0.3)
    opened = change(pose(mouth_open=0.9), teeth_gaps=0.5, teeth_count=7, teeth_lower=0.3, mouth_depth=0.3)
    assert closed.abs().max() <= 2
    rows, columns = (opened.abs() > 4).nonzero().unbind(1)
    assert 10 < len(rows) < 600 and rows.min() > 70 and 40 < columns.min() and columns.max() < 88


def test_the_camera():
    gray = draw()[0] / 255
    for name, value, expected in (
            ('red', 0.9, gray * torch.tensor([0.9, 1, 1]).view(3, 1, 1)), ('gamma', 1.25, gray ** 1.25),
            ('contrast', 0.8, (gray - 0.5) * 0.8 + 0.5)):
        torch.testing.assert_close(draw(look=textures(**{name: value}))[0] / 255, expected, atol=2 / 255, rtol=0)
    dark = draw(look=textures(vignette=0.5))[0] / draw()[0].clamp(min=1)
    assert dark[:, 0, 0].mean() < 0.75 and dark[:, 64, 64].mean() > 0.98
    # a Gaussian of standard deviation 1 at 128 pixels, 0.5 at 64
    kernel = torch.exp(-torch.arange(-6.0, 7) ** 2 / 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(draw(), (6, 6, 6, 6), mode='replicate')
    expected = F.conv2d(padded.transpose(0, 1), torch.outer(kernel, kernel)[None, None]).transpose(0, 1)
    torch.testing.assert_close(draw(look=textures(blur=1.0)), expected, atol=2, rtol=0)
    assert (draw(size=64, look=textures(blur=1.0)) - draw(size=64)).abs().mean() > 0.3


def test_zoom_and_shift():
    motion = pose(yaw=15.0, tx=0.05, mouth_open=0.5)
    base = draw(motion, look=textures())
    right_and_up = draw(motion, look=textures(shift_x=16 / 128, shift_y=-8 / 128))
    torch.testing.assert_close(right_and_up[..., :-8, 16:], base[..., 8:, :-16], atol=1, rtol=0)
    # the middle of 160 pixels, once the shift undoes that the zoom keeps the middle of the face where it is
    middle = 0.26 / (2 * VIEW)
    zoomed = draw(motion, look=textures(zoom=1.25, shift_y=0.25 * middle))
    large = draw(motion, size=160, look=textures())
    assert (zoomed - large[..., 16:144, 16:144]).abs().max() <= 2
    assert (zoomed - base).abs().mean() > 5


def test_noise_is_smooth_periodic_and_of_mean_zero():
    x = torch.linspace(0, 64, 641).view(1, 1, -1).expand(1, 641, -1)
    y = x.transpose(1, 2)
    noise = fractal_noise(x, y, 3)
    assert noise.abs().max() <= 1 and noise.mean().abs() < 0.05 and noise.std() > 0.15
    assert (noise[..., 1:] - noise[..., :-1]).abs().max() < 0.5
    torch.testing.assert_close(fractal_noise(x + 256, y - 256, 1), fractal_noise(x, y, 1), atol=1e-3, rtol=0)
    assert (fractal_noise(x, y, 1) - fractal_noise(y, x, 1)).std() > 0.3
    fine = [fractal_noise(x, y, octaves).diff(dim=-1).std() / fractal_noise(x, y, octaves).std() for octaves in (1, 4)]
    assert fine[1] > 1.5 * fine[0]


def test_a_dataset(tmp_path):
    drawn = SyntheticFacesPlan(num_identities=2, clips_per_identity=1, num_frames=70, size=32)
    plan = SyntheticFacesPlan(**{**drawn.__dict__, 'style': 'textured'})
    clip = plan.clips()[1]
    assert drawn.textures(clip) is None and np.array_equal(plan.textures(clip), sample_textures([1]))
    assert np.array_equal(plan.motion(clip)[0], drawn.motion(clip)[0])
    assert 'style' not in drawn.settings() and plan.settings()['style'] == 'textured'
    with pytest.raises(UserError, match="style must be drawn or textured, got 'painted'"):
        SyntheticFacesPlan(style='painted')
    (tmp_path / 'videos').mkdir()
    write_clip(tmp_path, plan, clip)
    expected = render_faces(torch.from_numpy(plan.appearance(clip)), torch.from_numpy(plan.motion(clip)[0]), size=32,
                            textures=torch.from_numpy(plan.textures(clip)))
    with open_video(tmp_path / clip.file) as video:
        frames = torch.from_numpy(video.read(range(70))).permute(0, 3, 1, 2)
    assert (frames.int() - expected.int()).abs().float().mean() < 1  # also in the second piece of 64 frames
