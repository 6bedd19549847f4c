"""Shards: ordinary tar files, from which datasets read the same frames as from the files."""

import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from support.tiny_models import MOTION_DIM

from leokit.data_tools import packing
from leokit.data_tools.packing import pack_videos
from leokit.datasets import ClipDataset, CodeCache, CodeCacheWriter, FramePairDataset, SampleKey
from leokit.inference import extract_motion_codes
from leokit.utils import UserError
from leokit.video import VideoIndex, read_manifest, write_manifest
from leokit.video.content_hash import content_hash
from leokit.video.readers import AutoReader, PyAVReader

NAMES = ['id1#vid#000.mp4', 'b ü日本.mp4', 'deep/c.mkv', 'd.mp4', 'e.mp4']


@pytest.fixture(scope='module')
def videos(tmp_path_factory, clips):
    """Five videos with a manifest whose order is not that of the names, and a broken file."""
    folder = tmp_path_factory.mktemp('dataset')
    for number, name in enumerate(NAMES):
        clips.write(folder / name, clips.frames(14 + number, seed=number))
    (folder / 'broken.mp4').write_bytes(b'nothing')
    order = [3, 0, 4, 1, 2]
    rows = [dict(file=NAMES[number], name=f'video {number}', identity=f'person {number % 2}', split='train',
                 crop=[1, 2, 3, 4]) for number in order]
    write_manifest(folder / 'manifest.json', [*rows, dict(file='broken.mp4', split='train')])
    return folder


@pytest.fixture(scope='module')
def shards(videos, tmp_path_factory):
    folder = tmp_path_factory.mktemp('shards')
    return folder, pack_videos(videos, folder, clips_per_shard=2)


def test_shards_are_tar_files_with_the_bytes_of_the_videos(videos, shards):
    folder, report = shards
    assert (report.videos, report.shards, report.written) == (5, 3, 3)
    assert [Path(skipped.file).name for skipped in report.skipped] == ['broken.mp4']
    packed = []
    for number in range(3):
        with tarfile.open(folder / f'shard-{number:06d}.tar') as tar:
            packed += [(member.name, tar.extractfile(member).read()) for member in tar]
    files = [content for name, content in packed if not name.endswith('.json')]
    assert files == [(videos / NAMES[number]).read_bytes() for number in (3, 0, 4, 1, 2)]
    assert [name for name, _ in packed][:4] == ['000000000.mp4', '000000000.json', '000000001.mp4', '000000001.json']
    assert json.loads(packed[1][1]) == dict(name='video 3', identity='person 1', split='train', crop=[1, 2, 3, 4])


def test_the_manifest_keeps_names_order_and_keys(videos, shards):
    folder, _ = shards
    rows = [json.loads(line) for line in (folder / 'manifest.jsonl').read_text().splitlines()]
    assert [row['name'] for row in rows] == ['video 3', 'video 0', 'video 4', 'video 1', 'video 2']
    assert rows[1] == dict(file='shard-000000.tar#000000001.mp4', name='video 0', identity='person 0', split='train',
                           crop=[1, 2, 3, 4], frames=14, fps=25.0,
                           sha256=hashlib.sha256((videos / NAMES[0]).read_bytes()).hexdigest())


@pytest.mark.parametrize('build', [
    lambda root: FramePairDataset(root, 32, pairs_per_video=3, weighting='identity', seed=5),
    lambda root: ClipDataset(root, 32, num_frames=6, stride=2, seed=5)])
def test_datasets_draw_the_same_samples_with_the_same_pixels(videos, shards, build):
    plain, packed = build(videos), build(shards[0])
    assert len(plain) == len(packed)
    for index in [*range(len(plain)), *(SampleKey(number % len(plain), number) for number in range(25))]:
        first, second = plain[index], packed[index]
        assert first['data_samples']['name'] == second['data_samples']['name']
        assert all(torch.equal(first['inputs'][key], second['inputs'][key]) for key in first['inputs'])
        if 'frames' in first['data_samples']:
            assert torch.equal(first['data_samples']['frames'], second['data_samples']['frames'])


def test_frames_are_those_of_the_videos(shards, clips):
    with AutoReader().open(shards[0] / 'shard-000000.tar#000000001.mp4') as video:
        assert clips.numbers(video.read([13, 2, 2, 7])) == [13, 2, 2, 7]


def test_frame_cache_reads_shards(videos, shards, tmp_path):
    cached = FramePairDataset(shards[0], 32, frames=dict(cache_dir=str(tmp_path)))
    assert torch.equal(cached[2]['inputs']['driving'], FramePairDataset(videos, 32)[2]['inputs']['driving'])
    assert len(list(tmp_path.rglob('*.npy'))) == 5


def test_listing_the_videos_opens_none(shards, monkeypatch):
    monkeypatch.setattr(PyAVReader, 'open', None)
    index = VideoIndex(shards[0])
    assert [video.frames for video in index] == [17, 14, 18, 15, 16]
    assert {video.fps for video in index} == {25.0}


@pytest.mark.parametrize('trust', [True, False])
def test_contents_have_the_hash_of_the_files(videos, shards, trust):
    assert [content_hash(entry.path, trust_index=trust) for entry in read_manifest(shards[0] / 'manifest.jsonl')] == \
        [hashlib.sha256((videos / NAMES[number]).read_bytes()).hexdigest() for number in (3, 0, 4, 1, 2)]


def test_an_interrupted_run_continues(videos, tmp_path, monkeypatch):
    write, calls = packing._add_video, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        write(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr(packing, '_add_video', interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack_videos(videos, tmp_path, clips_per_shard=2, workers=1)
    names = [path.name for path in tmp_path.iterdir()]
    assert 'shard-000000.tar' in names and 'manifest.jsonl' not in names
    assert not any('shard-000001' in name or 'part' in name or 'lock' in name for name in names)
    before = (tmp_path / 'shard-000000.tar').stat().st_mtime_ns
    report = pack_videos(videos, tmp_path, clips_per_shard=2)
    assert report.written in (1, 2) and (tmp_path / 'shard-000000.tar').stat().st_mtime_ns == before
    assert len(VideoIndex(tmp_path)) == 5


def test_packing_twice_gives_equal_files(videos, shards, tmp_path):
    pack_videos(videos, tmp_path, clips_per_shard=2, workers=1)
    for name in ('shard-000001.tar', 'shard-000001.index', 'manifest.jsonl'):
        assert (tmp_path / name).read_bytes() == (shards[0] / name).read_bytes()


def test_another_source_is_refused(videos, shards):
    with pytest.raises(UserError, match='holds shards of other settings .clips_per_shard=2, not 3.*another folder'):
        pack_videos(videos, shards[0], clips_per_shard=3)


def copied(folder, target):
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_truncated_shards_and_lost_indices_are_named(shards, tmp_path):
    folder = copied(shards[0], tmp_path)
    shard = folder / 'shard-000001.tar'
    shard.write_bytes(shard.read_bytes()[:600])
    (folder / 'shard-000002.index').unlink()
    index = VideoIndex(folder)
    assert [video.name for video in index] == ['video 3', 'video 0']
    reasons = [str(skipped) for skipped in index.skipped]
    assert 'shard-000001.tar is truncated' in reasons[0] and 'shard-000002.index' in reasons[2]
    with pytest.raises(UserError, match='shard-000001.tar is truncated'):
        AutoReader().open(shard.with_name('shard-000001.tar#000000003.mp4'))


def test_a_damaged_index_is_named(shards, tmp_path):
    folder = copied(shards[0], tmp_path)
    (folder / 'shard-000000.index').write_bytes(b'damaged')
    with pytest.raises(UserError, match='shard-000000.index of a shard is damaged'):
        AutoReader().open(folder / 'shard-000000.tar#000000000.mp4')
    with open(folder / 'shard-000000.index', 'wb') as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match='not the index of a shard'):
        AutoReader().open(folder / 'shard-000000.tar#000000000.mp4')


@pytest.mark.parametrize('name', ['shard-000000.tar#000000007.mp4', 'shard-000000.tar#abc', 'shard-000000.tar#0'])
def test_videos_that_the_shard_has_not(shards, name):
    with pytest.raises(UserError, match='does not exist: the shard has 2 videos'):
        AutoReader().open(shards[0] / name)


def test_what_is_no_video_file_is_refused(tmp_path, shards):
    np.save(tmp_path / 'a.npy', np.zeros((3, 16, 16, 3), np.uint8))
    with pytest.raises(UserError, match='a.npy is no video file'):
        pack_videos(tmp_path, tmp_path / 'out')
    with pytest.raises(UserError, match='is in a shard already'):
        pack_videos(shards[0], tmp_path / 'out')
    with pytest.raises(UserError, match='clips_per_shard must be at least 1'):
        pack_videos(tmp_path, tmp_path / 'out', clips_per_shard=0)


def test_shards_do_not_mix_with_their_source(videos, tmp_path, clips):
    with pytest.raises(UserError, match='is the folder of the videos'):
        pack_videos(videos, videos)
    clips.write(tmp_path / 'a.mp4', clips.frames(5))
    pack_videos(tmp_path, tmp_path / 'shards')
    assert [entry.path.name for entry in VideoIndex(tmp_path, manifest=None)] == ['a.mp4']


def test_unreadable_videos_alone_are_no_shard(tmp_path):
    (tmp_path / 'a.mp4').write_bytes(b'nothing')
    with pytest.raises(UserError, match='none of the 1 videos'):
        pack_videos(tmp_path, tmp_path / 'out')


def test_a_full_disk_is_noticed_beforehand(videos, tmp_path, monkeypatch):
    usage = type('Usage', (), dict(free=packing.SPARE_BYTES))
    monkeypatch.setattr(packing.shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(UserError, match='choose another disk'):
        pack_videos(videos, tmp_path)
    assert not list(tmp_path.glob('*.tar'))


def test_motion_codes_are_those_of_the_videos(videos, shards, animator, tmp_path):
    caches = []
    for name, root in (('videos', videos), ('shards', shards[0])):
        origin = dict(weights_hash=animator.weights_hash())
        with CodeCacheWriter(tmp_path / name, MOTION_DIM, animator=origin) as writer:
            extract_motion_codes(animator, VideoIndex(root), writer, show_progress=False)
        caches.append(CodeCache(tmp_path / name))
    assert [video.name for video in caches[0].videos] == [video.name for video in caches[1].videos]
    assert [video.file_size for video in caches[0].videos] == [video.file_size for video in caches[1].videos]
    assert np.array_equal(caches[0].codes, caches[1].codes)
