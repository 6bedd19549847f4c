"""Contact sheets of models: which images they show, and where."""

import numpy as np
import pytest
import torch

from leokit.analysis.model_sheets import (
    pair_sheet, stack_sheets, transfer_sheet, video_grid, video_sheet, worst_pairs)
from leokit.datasets import FramePairDataset
from leokit.utils import UserError
from leokit.utils.pixels import to_uint8
from leokit.visualization import contact_sheet, save_png
from support.tiny_models import SIZE


@pytest.fixture
def videos(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    (tmp_path / 'videos').mkdir()
    for seed in range(3):
        frames = np.random.default_rng(seed).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(tmp_path / 'videos' / f'{seed}.npy', frames)
    return tmp_path / 'videos'


def test_videos_side_by_side(videos):
    np.save(videos / '3.npy', np.load(videos / '0.npy')[:3])  # the shortest one
    grid = to_uint8(torch.cat(list(video_grid(videos, columns=3)), dim=1))[0].permute(0, 2, 3, 1).numpy()
    assert grid.shape == (3, 2 * SIZE, 3 * SIZE, 3)
    for number, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0)]):
        cell = grid[:, row * SIZE:(row + 1) * SIZE, column * SIZE:(column + 1) * SIZE]
        assert np.array_equal(cell, np.load(videos / f'{number}.npy')[:3])
    assert (grid[:, SIZE:, SIZE:] == 255).all()


def test_videos_are_rows_of_evenly_spaced_frames(videos):
    frames = [np.load(videos / f'{seed}.npy') for seed in range(3)]
    expected = contact_sheet([[video[0], video[3]] for video in (frames[0], frames[2])],
                             row_titles=['videos/0', 'videos/2'], column_titles=['frame 0', 'frame 3'])
    assert np.array_equal(video_sheet(videos, count=2, columns=2), expected)
    assert video_sheet(videos, count=9, columns=9).shape == video_sheet(videos, count=3, columns=4).shape
    np.save(videos / '2.npy', frames[2][:3])  # then the rows have different frame numbers
    shorter = contact_sheet([[frames[0][0], frames[0][3]], [frames[2][0], frames[2][2]]],
                            row_titles=['videos/0', 'videos/2'])
    assert np.array_equal(video_sheet(videos, count=2, columns=2), shorter)


def test_videos_that_cannot_be_shown_together(videos, tmp_path):
    np.save(videos / 'z.npy', np.zeros((4, SIZE, SIZE + 2, 3), np.uint8))
    with pytest.raises(UserError, match='frames of different sizes'):
        video_sheet(videos)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='holds no video to show'):
        video_sheet(tmp_path / 'empty')


def test_pairs_are_always_the_same(animator, videos):
    dataset = FramePairDataset(videos, SIZE, pairs_per_video=2)
    sheet = pair_sheet(animator, dataset, 2)
    assert np.array_equal(sheet, pair_sheet(animator, dataset, 2))
    assert sheet.shape[0] < pair_sheet(animator, dataset, 6).shape[0]


def test_the_worst_pairs_come_first(animator, videos):
    dataset = FramePairDataset(videos, SIZE, pairs_per_video=2)
    errors = []
    for item in (dataset[index] for index in range(len(dataset))):
        source, driving = (item['inputs'][key][None].float() / 127.5 - 1 for key in ('source', 'driving'))
        with torch.no_grad():
            errors.append((animator.transfer(source, driving).frames - driving).abs().mean().item())
    assert len(set(errors)) == len(errors) > 3
    assert worst_pairs(animator, dataset, 3) == sorted(range(len(errors)), key=lambda index: -errors[index])[:3]
    assert len(pair_sheet(animator, dataset, 3, order='worst')) == len(pair_sheet(animator, dataset, 3))
    with pytest.raises(UserError, match='one of even, worst'):
        pair_sheet(animator, dataset, order='best')


def test_a_transfer_shows_driving_frames_sources_and_results(animator, videos, tmp_path):
    image = np.random.default_rng(7).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    save_png(tmp_path / 'source.png', image)
    sheet = transfer_sheet(animator, [tmp_path / 'source.png'], videos / '0.npy', count=4)
    driving = torch.from_numpy(np.load(videos / '0.npy')).permute(0, 3, 1, 2)
    # nothing has moved since the first frame: the first result is the reconstruction of the source
    with torch.no_grad():
        source = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
        encoding = animator.encode(source)
        still = animator.animate(encoding, encoding.motion).frames
    row = torch.cat([torch.full((1, 3, SIZE, SIZE), 255, dtype=torch.uint8), driving]).permute(0, 2, 3, 1).numpy()
    top = contact_sheet([row], row_titles=['driving'], column_titles=['source', *(f'frame {i}' for i in range(4))])
    assert np.array_equal(sheet[:len(top) - 8, 80:], top[:-8, 80:])
    reconstruction = to_uint8(still[0]).permute(1, 2, 0).numpy()
    assert any(np.abs(sheet[y:y + SIZE * 3:3, x:x + SIZE * 3:3].astype(int) - reconstruction).max() <= 1
               for y in range(len(top) - 8, len(top) + 8) for x in range(sheet.shape[1] - SIZE * 3))


def test_stacking_pads_with_the_background():
    stacked = stack_sheets([np.zeros((2, 3, 3), np.uint8), np.zeros((1, 5, 3), np.uint8)])
    assert stacked.shape == (3, 5, 3) and (stacked[:2, 3:] == 255).all() and not stacked[2].any()
