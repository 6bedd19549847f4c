import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.signatures import defaults
from support.tiny_extractors import TinyImageFeatures

import leokit.evaluation.feature_extraction as features_module
from leokit.evaluation import Clip, FeatureRequest, VideoSet, clip_features, plan_trials, scan_videos
from leokit.evaluation.clip_loader import crop_frames
from leokit.evaluation.clip_preprocessing import prepare_clips
from leokit.evaluation.feature_extraction import cache_path
from leokit.evaluation.reductions import reduce_clips
from leokit.evaluation.video_set import VideoItem
from leokit.video import VideoFilter

NAN = float('nan')


@pytest.fixture
def clip_set(tmp_path, make, protocol):
    videos = scan_videos(make.folder(tmp_path / 'set', range(9)), protocol)
    return videos, plan_trials(videos.num_windows(protocol), protocol, 'real')[0], protocol


def requests():
    return [FeatureRequest(TinyImageFeatures(), 'clip'), FeatureRequest(TinyImageFeatures(), 'content')]


def count_extractions(monkeypatch):
    calls = []
    original = features_module.extract

    def counted(videos, clips, protocol, wanted, **options):
        calls.append([request.key for request in wanted])
        return original(videos, clips, protocol, wanted, **options)

    monkeypatch.setattr(features_module, 'extract', counted)
    return calls


def test_features_are_those_of_the_clips(clip_set, make):
    videos, clips, protocol = clip_set
    arrays = clip_features(videos, clips, protocol, requests()).arrays
    for index, clip in enumerate(clips):
        frames = make.video(int(videos.entries[clip.video].name))[clip.start:clip.start + 6]
        prepared = prepare_clips([crop_frames(frames, 'center_crop')], protocol.frames, torch.device('cpu'))
        torch.testing.assert_close(arrays['clip-tiny_dt'][index], reduce_clips(requests(), prepared)['clip-tiny_dt'][0])


def test_the_number_of_workers_changes_no_bit(clip_set):
    one, three = (clip_features(*clip_set, requests(), workers=workers).arrays for workers in (1, 3))
    assert all(torch.equal(one[key], three[key]) for key in one)


def test_the_cache_is_used_and_holds_the_same_numbers(clip_set, tmp_path, monkeypatch):
    calls = count_extractions(monkeypatch)
    first = clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache').arrays
    second = clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache').arrays
    assert len(calls) == 1 and all(torch.equal(first[key], second[key]) for key in first)
    clip_features(*clip_set, [*requests(), FeatureRequest(TinyImageFeatures(), 'frames')], cache_dir=tmp_path / 'cache')
    assert calls[1:] == [['frames-tiny']]


def test_the_cache_recognizes_a_copied_set_and_every_change(clip_set, tmp_path, make, monkeypatch):
    videos, clips, protocol = clip_set
    cache = tmp_path / 'cache'
    clip_features(videos, clips, protocol, requests(), cache_dir=cache)
    calls = count_extractions(monkeypatch)
    copy = scan_videos(shutil.copytree(tmp_path / 'set', tmp_path / 'copy'), protocol)
    clip_features(copy, clips, protocol, requests(), cache_dir=cache)
    assert not calls

    class Other(TinyImageFeatures):
        def fingerprint(self):
            return 'f' * 64

    clip_features(videos, clips, protocol, [FeatureRequest(Other(), 'clip')], cache_dir=cache)
    clip_features(videos, clips[:-1], protocol, requests(), cache_dir=cache)
    clip_features(videos, clips, protocol.changed({'frames.resize': 'area'}), requests(), cache_dir=cache)
    clip_features(videos, clips, protocol.changed({'clips.stride': 2}), requests(), cache_dir=cache)
    assert len(calls) == 4
    changed = make.folder(tmp_path / 'copy', [200])
    (changed / '200.npy').replace(changed / '000.npy')
    clip_features(scan_videos(changed, protocol), clips, protocol, requests(), cache_dir=cache)
    assert len(calls) == 5


def test_a_damaged_cache_file_is_replaced(clip_set, tmp_path):
    cache = tmp_path / 'cache'
    first = clip_features(*clip_set, requests(), cache_dir=cache).arrays
    for path in cache.iterdir():
        path.write_bytes(b'half a file')
    second = clip_features(*clip_set, requests(), cache_dir=cache).arrays
    assert torch.equal(first['clip-tiny_dt'], second['clip-tiny_dt'])
    assert torch.equal(torch.load(next(cache.glob('clip-*')), weights_only=True)['features'], first['clip-tiny_dt'])


def test_clips_that_fail_are_nan_and_named_and_never_cached(clip_set, tmp_path):
    videos, clips, protocol = clip_set
    (tmp_path / 'set' / '002.npy').write_bytes(b'damaged since')
    found = clip_features(videos, clips, protocol, requests(), cache_dir=tmp_path / 'cache')
    lost = [index for index, clip in enumerate(clips) if videos.entries[clip.video].name == '002']
    assert list(found.failures) == lost
    assert bool(found.arrays['clip-tiny_dt'][lost].isnan().all())
    assert bool(found.arrays['clip-tiny_dt'].isfinite().all(1).sum() == len(clips) - len(lost))
    assert not (tmp_path / 'cache').exists()


def test_cache_files_of_earlier_releases_are_not_read(protocol):
    """Their names held neither the value range of arrays nor the options of the reader."""
    video = VideoItem('a', Path('a'), 2, 20, 25.0, 24, 24, 'f' * 64)
    path = cache_path('cache', VideoSet('set', VideoFilter(), [video], []), [Clip(0, 3)], protocol, requests()[0])
    assert path != Path('cache', 'clip-tiny_dt-bf852e2018d163bf65d54ea939165ccb.pt')


def test_a_cache_that_cannot_be_written_costs_no_evaluation(clip_set, tmp_path):
    (tmp_path / 'file').write_text('')
    plain = clip_features(*clip_set, requests()).arrays
    for folder in (tmp_path / 'file' / 'below', tmp_path / 'private'):
        arrays = clip_features(*clip_set, requests(), cache_dir=folder).arrays
        assert all(torch.equal(plain[key], arrays[key]) for key in plain)


def test_a_cache_that_may_not_be_read_or_written(clip_set, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, 'Permission denied', str(tmp_path))
    plain = clip_features(*clip_set, requests()).arrays
    monkeypatch.setattr(features_module.Path, 'is_file', refuse)
    monkeypatch.setattr(features_module.Path, 'mkdir', refuse)
    arrays = clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache').arrays
    assert all(torch.equal(plain[key], arrays[key]) for key in plain)


def test_the_name_of_a_cache_file_is_a_hash_of_what_the_features_depend_on(protocol):
    """Changes only with what is listed here: the features that were computed before stay valid."""
    video = VideoItem('a', Path('a'), 2, 20, 25.0, 24, 24, 'f' * 64)
    videos, request = VideoSet('set', VideoFilter(), [video], []), requests()[0]
    text = f'3\n{videos.reader.signature()}\n{protocol.frames}\n{request.extractor.fingerprint()}'
    clips = b''.join(b'f' * 64 + b' ' + np.arange(first, first + 6).tobytes() for first in (5, 9))
    name = f'clip-tiny_dt-{hashlib.sha256(text.encode() + clips).hexdigest()[:32]}.pt'
    assert cache_path('cache', videos, [Clip(0, 3), Clip(0, 7)], protocol, request) == Path('cache', name)


def test_the_defaults_and_the_device():
    assert defaults(clip_features) == dict(device='cpu', workers=2, label='clips')


def test_the_networks_move_to_the_device_of_the_features(clip_set, monkeypatch):
    moved, (wanted, *_) = [], requests()
    monkeypatch.setattr(wanted.extractor, 'to', moved.append)
    clip_features(*clip_set, [wanted], device='cpu')
    assert moved == [torch.device('cpu')]


def test_a_second_process_is_told_what_the_cache_has(clip_set, tmp_path, monkeypatch):
    monkeypatch.setattr(features_module, 'is_main_process', lambda: False)
    monkeypatch.setattr(features_module, 'broadcast_object_list',
                        lambda available: available.__setitem__(0, {'clip-tiny_dt', 'content-tiny'}))
    calls = count_extractions(monkeypatch)
    assert clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache') == (None, {}) and not calls


def test_failures_of_all_processes_are_in_the_order_of_the_clips(clip_set, monkeypatch):
    monkeypatch.setattr(features_module, 'all_gather_object', lambda mine: [{3: 'late'}, {1: 'early'}])
    assert list(clip_features(*clip_set, requests()).failures.items()) == [(1, 'early'), (3, 'late')]


class Unexpected:
    """Not a tensor: a cache file that holds it was not written by leokit."""


def test_a_cache_file_with_other_objects_is_not_loaded(clip_set, tmp_path, monkeypatch):
    first = clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache').arrays
    for path in (tmp_path / 'cache').iterdir():
        torch.save(dict(features=Unexpected()), path)
    calls = count_extractions(monkeypatch)
    second = clip_features(*clip_set, requests(), cache_dir=tmp_path / 'cache').arrays
    assert len(calls) == 1 and torch.equal(first['clip-tiny_dt'], second['clip-tiny_dt'])


def test_a_feature_of_no_clip_at_all_is_missing():
    assert features_module._assemble([(None, {'a': None})], 3)['a'].tolist() == [[pytest.approx(NAN, nan_ok=True)]] * 3
