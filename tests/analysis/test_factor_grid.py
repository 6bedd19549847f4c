"""Selection of identities and motions; every cell is what animating it alone gives."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.analysis.factor_grid import (
    MIN_ITEMS, IdentityBatch, build_factor_grid, generate_motions, read_identities, read_motions)
from leokit.inference import VideoAnimator, VideoGenerator
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8
from support.tiny_models import MOTION_DIM, SIZE, make_motion_diffusion

T = 5


@pytest.fixture
def videos(tmp_path):
    """Two clips of each of three identities, one of them too short."""
    generator = np.random.default_rng(0)
    rows = []
    for name, identity, frames in (('a0', 'anna', 6), ('a1', 'anna', 6), ('b0', 'bert', 6), ('b1', 'bert', 3),
                                   ('c0', 'carl', 7), ('c1', 'carl', 6)):
        np.save(tmp_path / f'{name}.npy', generator.integers(0, 256, (frames, 40, 36, 3), dtype=np.uint8))
        rows.append(dict(file=f'{name}.npy', name=name, identity=identity,
                         split='test' if identity != 'carl' else 'train'))
    (tmp_path / 'manifest.json').write_text(json.dumps(rows))
    return tmp_path


@pytest.fixture
def portraits(tmp_path):
    folder = tmp_path / 'portraits'
    folder.mkdir()
    for name, mode in (('gray', 'L'), ('clear', 'RGBA'), ('plain', 'RGB')):
        shape = (30, 34) + (() if mode == 'L' else (len(mode),))
        pixels = np.random.default_rng(len(name)).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels, mode).save(folder / f'{name}.png')
    return folder


def test_identities_of_videos_are_different(videos):
    identities = read_identities([videos], SIZE, 9)
    assert identities.names == ['anna', 'bert', 'carl'] and identities.images.shape == (3, 3, SIZE, SIZE)
    assert read_identities([videos], SIZE, 2).names == ['anna', 'carl']
    assert read_identities([videos], SIZE, 9, split='test').names == ['anna', 'bert']
    first = from_uint8(torch.from_numpy(np.load(videos / 'b0.npy')[:1, 2:38]).permute(0, 3, 1, 2))
    assert (identities.images[1].mean() - first.mean()).abs() < 0.01


def test_images_of_any_mode(portraits):
    for sources in ([portraits], sorted(portraits.iterdir())):
        identities = read_identities(sources, SIZE, 9)
        assert identities.names == ['clear', 'gray', 'plain']
        assert identities.images.shape == (3, 3, SIZE, SIZE) and identities.images.abs().max() <= 1


def test_motions_of_videos(animator, videos):
    motions = read_motions(animator, [videos], 3, T)
    assert motions.names == ['a0', 'b0', 'c0'] and motions.identities == ['anna', 'bert', 'carl']
    assert motions.codes.shape == (3, T, MOTION_DIM) and motions.frames.shape == (3, T, 3, SIZE, SIZE)
    with torch.no_grad():
        expected = animator.encode(from_uint8(motions.frames[2])).motion
    torch.testing.assert_close(motions.codes[2], expected, atol=1e-4, rtol=0)
    assert read_motions(animator, [videos], 9, T).names == ['a0', 'a1', 'b0', 'c0', 'c1']  # b1 is too short
    assert read_motions(animator, [videos], 2, T, exclude=['anna']).names == ['b0', 'c0']
    assert read_motions(animator, [videos], 3, T, exclude=['anna', 'bert']).names == ['a0', 'b0', 'c0']
    assert read_motions(animator, [videos / 'a0.npy', videos / 'c0.npy'], 4, T).names == ['a0', 'c0']


def test_generated_motions_share_their_start_and_do_not_depend_on_their_number(animator, motion_diffusion, images):
    generator = VideoGenerator(animator, motion_diffusion)
    motions = generate_motions(generator, images[0], 3, 7, seed=4)
    assert motions.codes.shape == (3, 7, MOTION_DIM) and motions.frames is None
    assert torch.equal(motions.codes[0, 0], motions.codes[2, 0])
    assert (motions.codes[0, 1:] - motions.codes[1, 1:]).abs().max() > 0.01
    fewer = generate_motions(generator, images[0], 2, 7, seed=4)
    torch.testing.assert_close(fewer.codes, motions.codes[:2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_every_cell_is_that_identity_in_that_motion(animator, videos, images, mode):
    motions = read_motions(animator, [videos], 3, T)
    grid = build_factor_grid(animator, IdentityBatch(['x', 'y'], images), motions, mode=mode, chunk_size=7)
    assert grid.frames.shape == (2, 3, T, 3, SIZE, SIZE) and grid.frames.dtype == torch.uint8
    for identity, motion in ((0, 2), (1, 0)):
        alone = VideoAnimator(animator).animate(images[identity], motions.frames[motion], mode=mode)
        expected = to_uint8(torch.cat(list(alone), dim=1)[0])
        assert (grid.frames[identity, motion].int() - expected.int()).abs().max() <= 1
        with torch.no_grad():
            codes = animator.encode(from_uint8(grid.frames[identity, motion])).motion
        torch.testing.assert_close(grid.measured_codes[identity, motion], codes, atol=1e-4, rtol=0)
    if mode == 'relative':
        assert (grid.frames[:, 0, 0].int() - grid.frames[:, 2, 0].int()).abs().max() <= 1
        since = grid.target_codes - grid.target_codes[:, :, :1]
        torch.testing.assert_close(since[0], since[1])
    else:
        assert torch.equal(grid.target_codes[0], motions.codes) and torch.equal(grid.target_codes[1], motions.codes)


def test_too_few_items(animator, videos, portraits, motion_diffusion, images):
    for problem, match in (
            (lambda: read_identities([portraits / 'gray.png'], SIZE, 9), 'gray.png shows 1 identity only'),
            (lambda: read_identities([videos], SIZE, 1), 'pass at least 2 identities'),
            (lambda: read_motions(animator, [videos], 1, T), 'pass at least 2 motions'),
            (lambda: read_identities([portraits / 'none.png'], SIZE, 9), 'none.png does not exist'),
            (lambda: read_identities([videos / 'a0.npy', videos / 'b0.npy'], SIZE, 9), 'identities are images'),
            (lambda: read_motions(animator, [videos], 9, 7), 'has 1 video only with 7 frames'),
            (lambda: read_motions(animator, [videos], 9, 30), '30 needed'),
            (lambda: read_motions(animator, [videos], 9, 1), '1 frame has no motion'),
            (lambda: generate_motions(VideoGenerator(animator, motion_diffusion), images[0], 1, T), 'at least 2')):
        with pytest.raises(UserError, match=match) as error:
            problem()
        assert '\n' not in str(error.value)
    assert MIN_ITEMS == 2


def test_video_without_frames(animator, tmp_path):
    np.save(tmp_path / 'empty.npy', np.zeros((0, 8, 8, 3), np.uint8))
    for problem in (lambda: read_identities([tmp_path], SIZE, 9), lambda: read_motions(animator, [tmp_path], 9, T)):
        with pytest.raises(UserError, match='empty.npy'):
            problem()


def test_motion_diffusion_of_another_animator(animator):
    with pytest.raises(UserError):
        VideoGenerator(animator, make_motion_diffusion('cd' * 32))


def test_unknown_mode(animator, images, motion_diffusion):
    motions = generate_motions(VideoGenerator(animator, motion_diffusion), images[0], 2, T)
    with pytest.raises(UserError, match='unknown transfer mode'):
        build_factor_grid(animator, IdentityBatch(['x', 'y'], images), motions, mode='sideways')
