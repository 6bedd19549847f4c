"""Every option that changes pixels or features changes the keys of the caches of features and of frames."""

import dataclasses
import inspect

import numpy as np
import pytest
from support.tiny_extractors import TinyImageFeatures

from leokit.datasets import FrameCache, FrameDecoder
from leokit.evaluation import FeatureRequest, Protocol, ReadOptions, plan_trials, scan_videos
from leokit.evaluation.feature_extraction import cache_path, clip_features
from leokit.evaluation.protocol import ClipRule, FrameRule
from leokit.registry import VIDEO_READERS
from leokit.video import VideoIndex
from leokit.video.readers import AutoReader

# another value for every field of the rules that decide which pixels a clip has
OTHER_CLIP = dict(length=5, stride=2, fps=20.0)
OTHER_FRAME = dict(resolution=16, aspect='stretch', resize='nearest')
OTHER_READER = dict(file_readers=[dict(type='DecordReader')], fps=12.5, float_range='0:1', background=(0, 0, 0))


@pytest.fixture
def folder(tmp_path):
    """Floating-point arrays in [0, 1]: their range must be stated."""
    (tmp_path / 'set').mkdir()
    for number in range(4):
        frames = np.random.default_rng(number).random((12, 24, 32, 3), dtype=np.float32)
        np.save(tmp_path / 'set' / f'{number}.npy', frames)
    return tmp_path / 'set'


def path_of(folder, clips=ClipRule(4), frames=FrameRule(24), *, options=ReadOptions(25.0, '0:1'), extractor=None,
            reader=None):
    protocol = Protocol('test', clips=clips, frames=frames).changed({'sampling.num_clips': 4, 'sampling.real': 'first'})
    videos = scan_videos(folder, protocol, options=options)
    videos.reader = reader or videos.reader
    plan = plan_trials(videos.num_windows(protocol), protocol, 'real')[0]
    return cache_path('cache', videos, plan, protocol, FeatureRequest(extractor or TinyImageFeatures(), 'clip'))


@pytest.mark.parametrize('rule, other', [(ClipRule, OTHER_CLIP), (FrameRule, OTHER_FRAME)])
def test_every_option_of_clips_and_frames(folder, rule, other):
    assert {field.name for field in dataclasses.fields(rule)} == set(other)  # a new option needs a value here
    plain = rule(4) if rule is ClipRule else rule(24)
    key = 'clips' if rule is ClipRule else 'frames'
    paths = [path_of(folder, **{key: dataclasses.replace(plain, **{name: value})}) for name, value in other.items()]
    assert len({*paths, path_of(folder)}) == len(other) + 1


def test_every_option_of_the_reader(folder):
    assert set(inspect.signature(AutoReader).parameters) >= set(OTHER_READER)
    kinds = {name: value for name, value in OTHER_READER.items() if name != 'file_readers'}
    readers = [AutoReader(float_range='0:1'), *(AutoReader(**{'float_range': '0:1', name: value})
                                                for name, value in kinds.items() if name != 'float_range'),
               AutoReader(float_range='-1:1'), AutoReader(float_range='0:255')]
    paths = [path_of(folder, reader=reader) for reader in readers]
    assert len(set(paths)) == len(readers)
    assert path_of(folder, reader=AutoReader(float_range='0:1')) == paths[0]


def test_readers_of_files_have_their_own_signatures():
    names = ('AutoReader', 'PyAVReader', 'FrameFolderReader', 'ArrayReader')
    signatures = {VIDEO_READERS.build(dict(type=name)).signature() for name in names}
    assert len(signatures) == len(names)
    assert AutoReader([dict(type='PyAVReader'), dict(type='PyAVReader')]).signature() != AutoReader().signature()


def test_a_signature_does_not_depend_on_what_was_read(clips, tmp_path):
    reader = AutoReader()
    before = reader.signature()
    reader.open(clips.write(tmp_path / 'a.mp4', clips.frames(3))).close()
    assert reader.signature() == before


def test_a_stated_range_is_not_answered_from_the_cache_of_another(folder, tmp_path):
    """By hand: under 0:1 the mean of uniform pixels is 0 of [-1, 1]; under -1:1 values keep their mean of 0.5."""
    means = {}
    for value_range in ('-1:1', '0:1'):
        protocol = Protocol('test', clips=ClipRule(4), frames=FrameRule(24)).changed({'sampling.num_clips': 4})
        videos = scan_videos(folder, protocol, options=ReadOptions(25.0, value_range))
        plan = plan_trials(videos.num_windows(protocol), protocol, 'real')[0]
        request = FeatureRequest(TinyImageFeatures(), 'frames')
        features = clip_features(videos, plan, protocol, [request], cache_dir=tmp_path / 'cache').arrays[request.key]
        means[value_range] = float(features[..., :3].mean())
    assert means['-1:1'] == pytest.approx(0.5, abs=0.02) and means['0:1'] == pytest.approx(0.0, abs=0.04)


def test_the_extractor(folder, monkeypatch):
    other = TinyImageFeatures()
    other.fingerprint = lambda: 'other weights'
    assert path_of(folder, extractor=other) != path_of(folder)


@pytest.mark.parametrize('name, options', [
    ('FaceIdentity', dict(resolution=128)), ('FaceIdentity', dict(upsample=0)),
    ('FaceLandmarks', dict(resolution=128)), ('FaceLandmarks', dict(upsample=0)),
    ('ColorStatistics', dict(bins=8)), ('ColorStatistics', dict(statistics=['mean'])),
    ('EfficientNetLite0Features', dict(resize=64)), ('FeatureChanges', dict(lags=[1, 2]))])
def test_options_of_extractors_are_in_their_label(name, options):
    from leokit.registry import FEATURE_EXTRACTORS
    if name.startswith('Face'):
        pytest.importorskip('dlib')
    plain, other = (FEATURE_EXTRACTORS.build(dict(type=name, **values)) for values in ({}, options))
    assert plain.label != other.label
    same = FEATURE_EXTRACTORS.build(dict(type=name))
    assert (plain.label, plain.fingerprint()) == (same.label, same.fingerprint())
    if name.startswith('Face'):
        assert plain.fingerprint() != other.fingerprint() and plain.label in ('dlib_identity', 'dlib_landmarks68')


def test_the_frame_cache(folder, tmp_path):
    uint8 = np.random.default_rng(0).integers(0, 255, (3, 24, 32, 3), dtype=np.uint8)
    np.save(tmp_path / 'video.npy', uint8)
    videos = VideoIndex(tmp_path / 'video.npy', cache_probes=False).videos
    files = set()
    for size, crop, reader in ((16, 'center', None), (8, 'center', None), (16, 'none', None),
                               (16, 'center', AutoReader(float_range='0:1')),
                               (16, 'center', AutoReader([dict(type='PyAVReader'), dict(type='PyAVReader')]))):
        cache = FrameCache(FrameDecoder(size, crop, reader=reader), tmp_path / 'frames')
        assert cache.prepare(videos) == []
        files.add(cache._files['video'])
    assert len(files) == 5 and all(file.is_file() for file in files)
