"""Files of face regions, and pairs of frames with the regions of both."""

import logging

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from leokit.datasets import FramePairDataset, SampleKey, load_face_regions, save_face_regions
from leokit.datasets.face_regions import FaceRegionTable
from leokit.nn.face_regions import boxes_to_maps
from leokit.utils import UserError

LENGTHS = dict(a=20, b=31, c=12)


def numbered(length):
    """Boxes that tell the frame and the region: left = frame / 100, top = region / 10."""
    boxes = np.zeros((length, 4, 4))
    boxes[..., 0], boxes[..., 1] = np.arange(length)[:, None] / 100, np.arange(4) / 10
    boxes[..., 2:] = boxes[..., :2] + (0.05, 0.02)
    return boxes


@pytest.fixture(scope='module')
def folder(tmp_path_factory, clips):
    folder = tmp_path_factory.mktemp('videos')
    for name, length in LENGTHS.items():
        clips.write(folder / f'{name}.mp4', clips.frames(length, 48, 48))
    return folder


def write(path, *names, **changes):
    save_face_regions(path, {name: numbered(changes.get(name, LENGTHS[name])) for name in names},
                      changes.get('crop', 'center'))
    return path


def check(regions, frame):
    torch.testing.assert_close(regions, boxes_to_maps(torch.from_numpy(numbered(32)[int(frame)])).float())


def test_a_file_is_read_as_it_was_written(tmp_path):
    boxes = {'b ü': np.full((3, 4, 4), np.nan), 'a/b': numbered(5), 'none': np.zeros((0, 4, 4))}
    save_face_regions(tmp_path / 'deep' / 'regions.npz', boxes, 'none')
    read, crop = load_face_regions(tmp_path / 'deep' / 'regions.npz')
    assert crop == 'none' and list(read) == list(boxes)
    for name in boxes:
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], boxes[name].astype(np.float32))
    save_face_regions(tmp_path / 'empty.npz', {})
    assert load_face_regions(tmp_path / 'empty.npz') == ({}, '')


@pytest.mark.parametrize('shape', [(5, 4), (5, 3, 4), (5, 4, 2)])
def test_boxes_of_another_shape_are_refused(tmp_path, shape):
    with pytest.raises(ValueError, match=r"boxes of 'a' must have shape \(T, 4, 4\)"):
        save_face_regions(tmp_path / 'x.npz', dict(a=np.zeros(shape)))


@pytest.mark.parametrize('index', [0, 7, SampleKey(0, 3), SampleKey(2, 11)])
def test_a_pair_has_the_regions_of_its_frames(folder, tmp_path, index):
    file = write(tmp_path / 'r.npz', *LENGTHS)
    for filters in (None, dict(segment=(0.5, 1.0))):
        item = FramePairDataset(folder, 16, pairs_per_video=3, filters=filters, regions=file)[index]
        assert item['inputs']['regions'].shape == (4, 2, 3) and item['inputs']['regions'].dtype == torch.float32
        for key, frame in zip(('source_regions', 'regions'), item['data_samples']['frames']):
            check(item['inputs'][key], frame)


def test_without_regions_a_pair_is_as_before(folder):
    assert set(FramePairDataset(folder, 16)[0]['inputs']) == {'source', 'driving'}


def test_videos_without_regions_are_named_and_collate_with_the_others(folder, tmp_path, caplog):
    first, second = write(tmp_path / '1.npz', 'a'), write(tmp_path / '2.npz', 'c', crop='')
    with caplog.at_level(logging.WARNING, 'mmengine'):
        dataset = FramePairDataset(folder, 16, regions=[first, second])
    batch = default_collate([dataset[index] for index in range(3)])
    assert batch['inputs']['regions'].isfinite().flatten(1).all(1).tolist() == [True, False, True]
    assert batch['inputs']['regions'][1].isnan().all()
    check(batch['inputs']['regions'][2], 11)
    none = FramePairDataset(folder, 16, regions=[])
    assert none[0]['inputs']['regions'].isnan().all() and none[0]['inputs']['regions'].shape == (4, 2, 3)


class Listed:
    """A video entry as far as the table reads it."""

    def __init__(self, name, frames):
        self.name, self.frames, self.path = name, frames, f'{name}.mp4'


def test_the_warning_counts_and_names(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('leokit.datasets.face_regions.warn_listed', lambda *words: said.append(words))
    file, videos = write(tmp_path / 'r.npz', 'a'), [Listed('a', 20), Listed('b', 3), Listed('x', 4)]
    FaceRegionTable(str(file), videos, 'center')
    assert said == [('2 of 3 videos have no face regions', ['b.mp4', 'x.mp4'])]
    FaceRegionTable([], videos, 'center')
    FaceRegionTable(file, videos[:1], 'center')
    assert len(said) == 1


def test_files_that_do_not_fit(folder, tmp_path):
    cases = {
        'has regions of 21 frames of the video .a., which has 20; write it again':
            [write(tmp_path / '1.npz', 'a', 'b', a=21)],
        'has regions of none of the 3 videos, such as .a.; write the regions of this dataset':
            [write(tmp_path / '2.npz')],
        "the frames of the dataset have crop='center', but the face regions of .*3.npz belong to crop='none'":
            [write(tmp_path / '3.npz', 'a', crop='none')],
        'both .*4.npz and .*5.npz have regions of the video .b.; pass only one':
            [write(tmp_path / '4.npz', 'a', 'b'), write(tmp_path / '5.npz', 'b', 'c')],
        'the file of face regions .*6.npz does not exist; write it with `leokit data regions`': [tmp_path / '6.npz'],
    }
    for message, files in cases.items():
        with pytest.raises(UserError, match=message):
            FramePairDataset(folder, 16, regions=files)


def test_damaged_files(tmp_path):
    good = write(tmp_path / 'good.npz', 'a')
    (tmp_path / 'cut.npz').write_bytes(good.read_bytes()[:200])
    (tmp_path / 'text.npz').write_text('nothing')
    (tmp_path / 'empty.npz').write_bytes(b'')
    np.savez(tmp_path / 'other.npz', codes=np.zeros(3))
    with np.load(good) as arrays:
        content = dict(arrays)
    for name, changes in dict(longer=dict(frames=np.array([21])), named=dict(names=np.array(['a', 'b'])),
                              regions=dict(region_names=np.array(['mouth'])),
                              objects=dict(names=np.array(['a', None]))).items():
        np.savez(tmp_path / f'{name}.npz', **content | changes)
    for file in set(tmp_path.glob('*.npz')) - {good}:
        with pytest.raises(UserError, match=f'{file.name} is no file of face regions, or damaged'):
            load_face_regions(file)
    assert list(load_face_regions(good)[0]) == ['a']
