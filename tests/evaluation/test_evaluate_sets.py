import time

import numpy as np
import pytest
import torch

from leokit.evaluation import (
    Compute, build_jobs, clip_loader, evaluate_sets, feature_extraction, plan_trials, scan_videos)
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS, metric_key
from leokit.utils import UserError
from leokit.video import VideoFilter

TINY = {'': 'TinyImageFeatures', 'acd': 'TinyImageFeatures', 'fid': 'TinyImageFeatures',
        'content_drift': 'TinyImageFeatures', 'jitter': 'TinyImageFeatures'}


def run(folders, protocol, metrics=tuple(VIDEO_SET_METRICS), extractors=TINY, **compute):
    real, fake = (scan_videos(folder, protocol) for folder in folders)
    records = evaluate_sets(real, fake, build_jobs(metrics, protocol, extractors), protocol,
                            compute=Compute(**compute))
    return {record.metric.partition('-')[0]: record for record in records}


def test_every_metric_gives_a_record(video_sets, protocol):
    records = run(video_sets, protocol)
    assert set(records) == set(VIDEO_SET_METRICS)
    for name, record in records.items():
        assert record.score.value is not None and np.isfinite(record.score.value), name
        assert (record.real.clips, record.fake.clips, record.real.videos, record.fake.videos) == (8, 8, 12, 10)
        assert record.network.sha256 and record.protocol['name'] == 'tiny'
        assert protocol.extractor == 'I3D' and record.protocol['extractor'] == 'TinyImageFeatures'  # the one in use
    assert records['fvd'].metric == 'fvd-tiny_dt@6x1' and records['acd'].metric == 'acd-tiny@6x1'
    assert records['acd'].details['real_value'] > 0


def test_a_set_against_itself_scores_near_zero_and_says_so(video_sets, protocol):
    whole = protocol.changed({'sampling.num_clips': 12, 'sampling.real': 'first'})
    records = run((video_sets[0], video_sets[0]), whole, ['fvd', 'kvd', 'fid'])
    assert records['fvd'].score.value == pytest.approx(0, abs=1e-9)
    assert records['fid'].score.value == pytest.approx(0, abs=1e-9)
    assert any('12 videos are in both sets' in sentence for sentence in records['fvd'].warnings)


def test_frozen_videos_have_a_high_fvd_and_no_content_distance(video_sets, tmp_path, make, protocol):
    frozen = tmp_path / 'frozen'
    frozen.mkdir()
    for seed in range(100, 110):
        np.save(frozen / f'{seed}.npy', make.video(seed)[:1].repeat(20, axis=0))
    moving, still = run(video_sets, protocol), run((video_sets[0], frozen), protocol)
    assert still['fvd'].score.value > moving['fvd'].score.value
    assert still['acd'].score.value == 0 < moving['acd'].score.value
    assert still['jitter'].score.value == 0


def test_trials_with_different_clips_give_the_uncertainty(video_sets, protocol):
    record = run(video_sets, protocol.changed({'sampling.trials': 4}), ['fvd'])['fvd']
    assert len(record.score.values) == 4 and len(set(record.score.values)) == 4
    assert record.score.std_of == 'trials'
    assert record.score.std == pytest.approx(np.std(record.score.values, ddof=1))
    assert record.score.value == pytest.approx(np.mean(record.score.values))


def test_trials_that_cannot_differ_use_the_jackknife_and_say_so(video_sets, protocol):
    whole = protocol.changed({'sampling.trials': 10, 'sampling.num_clips': 10, 'sampling.real': 'first'})
    real = scan_videos(video_sets[1], whole)
    record, = evaluate_sets(real, real, build_jobs(['fvd'], whole, TINY), whole)
    assert record.score.std_of == 'jackknife' and len(record.score.values) == 1 and record.score.std > 0
    assert any('all 10 trials would use the same clips' in sentence for sentence in record.warnings)


def test_too_few_samples_are_warned_of(video_sets, protocol):
    records = run(video_sets, protocol, ['fvd', 'kvd', 'fid'])
    assert any('8 samples of 12-dimensional features' in sentence for sentence in records['fvd'].warnings)
    assert not any('dimensional' in sentence for sentence in records['kvd'].warnings + records['fid'].warnings)


def test_fewer_clips_than_required_are_an_error_or_a_counted_warning(video_sets, protocol):
    many = protocol.changed({'sampling.num_clips': 11})
    with pytest.raises(UserError, match='requires 11 generated clips .* only 10'):
        run(video_sets, many, ['fvd'])
    record = run(video_sets, many.changed({'sampling.fewer': 'both'}), ['fvd'])['fvd']
    assert (record.real.clips, record.fake.clips) == (11, 10)
    assert any('has 10 clips, fewer than' in sentence for sentence in record.warnings)


def test_clips_that_fail_in_decoding_are_an_error_or_counted(video_sets, protocol):
    real, fake = (scan_videos(folder, protocol) for folder in video_sets)
    clip = plan_trials(fake.num_windows(protocol), protocol, 'fake')[0][3]
    fake.entries[clip.video].path.write_bytes(b'damaged since')
    jobs = build_jobs(['fvd', 'acd'], protocol, TINY)
    with pytest.raises(UserError, match='1 clips of .* cannot be decoded .*sampling.fewer'):
        evaluate_sets(real, fake, jobs, protocol)
    allowed = protocol.changed({'sampling.fewer': 'both'})
    record = evaluate_sets(real, fake, jobs, allowed)[0]
    assert record.fake.clips == 7 and any('could not be decoded' in sentence for sentence in record.warnings)


def test_a_metric_without_any_detection_is_not_measured_and_says_so(video_sets, tmp_path, protocol):
    black = tmp_path / 'black'
    black.mkdir()
    for number in range(8):
        np.save(black / f'{number}.npy', np.zeros((8 + number, 24, 24, 3), np.uint8))
    records = run((video_sets[0], black), protocol)
    for name in ('acd', 'content_drift', 'jitter', 'fid', 'fvd'):
        assert records[name].score.value is None, name
        assert any('could not be measured' in sentence for sentence in records[name].warnings)
    assert records['acd'].details['videos_without_detection'] == 8
    assert records['fvd'].details['fake_clips_without_feature'] == 8
    assert records['acd'].details['real_value'] > 0


def test_quality_over_time_is_a_curve(tmp_path, make, protocol):
    long = make.folder(tmp_path / 'long', range(100, 110), frames=24)
    for path in list(long.iterdir())[:9]:
        frames = np.load(path)
        frames[12:] //= 4  # fades half way
        np.save(path, frames)
    record = run((make.folder(tmp_path / 'real', range(12)), long), protocol, ['fvd_over_time'])['fvd_over_time']
    assert record.curve['x'] == [0, 6, 12, 18]
    assert max(record.curve['y'][:2]) < min(record.curve['y'][2:])
    assert record.score.value == pytest.approx(np.mean(record.curve['y']))
    assert record.score.std > 0 and record.score.std_of == 'jackknife'
    assert record.to_dict()['trials'] == 1  # windows are not trials


def test_every_distance_has_a_variant_over_time(tmp_path, make, protocol):
    long = make.folder(tmp_path / 'long', range(100, 110), frames=24)
    for path in long.iterdir():
        frames = np.load(path)
        frames[12:] = frames[12:13]  # freezes half way
        np.save(path, frames)
    records = run((make.folder(tmp_path / 'real', range(12)), long), protocol, ['kvd_over_time', 'acd_over_time'])
    content = records['acd_over_time']
    assert content.curve['x'] == [0, 6, 12, 18] and content.curve['y'][2:] == [0, 0] < content.curve['y'][:2]
    assert content.metric == 'acd_over_time-tiny@6x1' and content.score.std > 0 and content.details['real_value'] > 0
    assert len(records['kvd_over_time'].curve['y']) == 4 and records['kvd_over_time'].score.std > 0


def test_real_features_are_cached_and_change_nothing(video_sets, protocol, tmp_path):
    plain = run(video_sets, protocol, ['fvd'])['fvd'].score
    for _ in range(2):
        assert run(video_sets, protocol, ['fvd'], cache_dir=tmp_path / 'cache')['fvd'].score == plain
    assert len(list((tmp_path / 'cache').iterdir())) == 1


def test_a_real_set_that_may_be_another_split_is_warned_of(video_sets, tmp_path, make, protocol):
    wanting = protocol.changed({'sampling.split': 'test'})
    for split in ('train', 'test'):
        make.folder(tmp_path / 'splits' / split, range(10))
    fake = scan_videos(video_sets[1], wanting)
    jobs = build_jobs(['fvd'], wanting, TINY)

    def warnings(source, filters=None):
        real = scan_videos(source, wanting, filters=filters, use_protocol_split=True)
        return ' '.join(evaluate_sets(real, fake, jobs, wanting)[0].warnings)

    assert 'the test split' not in warnings(tmp_path / 'splits')
    assert 'the real videos are of the train split' in warnings(tmp_path / 'splits', VideoFilter(split='train'))
    assert 'has no splits' in warnings(video_sets[0])


def test_decoding_and_network_overlap(video_sets, protocol, monkeypatch):
    """Both sleep, which needs no core; together they must take about as long as the slower one."""
    pause, batches = 0.05, 8
    monkeypatch.setattr(clip_loader, 'FRAMES_PER_BATCH', protocol.clips.length)
    load, reduce_clips = clip_loader.ClipLoader.load, feature_extraction.reduce_clips

    def slowly(function):
        def run(*arguments):
            time.sleep(pause)
            return function(*arguments)
        return run

    monkeypatch.setattr(clip_loader.ClipLoader, 'load', slowly(load))
    monkeypatch.setattr(feature_extraction, 'reduce_clips', slowly(reduce_clips))
    real = scan_videos(video_sets[0], protocol)
    clips = plan_trials(real.num_windows(protocol), protocol, 'real')[0]
    request = build_jobs(['fvd'], protocol, TINY)[0].request
    times = []
    for _ in range(3):
        start = time.perf_counter()
        feature_extraction.extract(real, clips, protocol, [request], device=torch.device('cpu'), workers=1,
                                   label='clips')
        times.append(time.perf_counter() - start)
    assert len(clips) == batches and batches * pause <= min(times) < 1.75 * batches * pause


def test_sets_of_different_size_need_a_resolution(video_sets, tmp_path, make, protocol):
    large = tmp_path / 'large'
    large.mkdir()
    for seed in range(8):
        np.save(large / f'{seed}.npy', make.video(seed, height=32, width=32))
    with pytest.raises(UserError, match='24x24 and the generated ones 32x32.*frames.resolution=24'):
        run((video_sets[0], large), protocol.changed({'frames.resolution': None}), ['fvd'])


@pytest.mark.parametrize(('metrics', 'extractors', 'sentence'), [
    (['fdv'], {}, "no metric 'fdv'; choose from fvd, kvd"),
    (['fvd'], {'': 'Nonsense'}, "'Nonsense' is not a type of the registry 'feature_extractors'.*--extractor fvd=TYPE"),
    (['fvd'], {'adc': 'TinyImageFeatures'}, "no metric 'adc'"),
    (['acd'], {'acd': 'TinyVideoFeatures'}, 'acd needs a feature of every frame, but TinyVideoFeatures')])
def test_impossible_choices_are_refused(protocol, metrics, extractors, sentence):
    with pytest.raises(UserError, match=sentence):
        build_jobs(metrics, protocol, extractors)


def test_options_reach_the_extractor_and_wrong_ones_are_refused(protocol):
    job, = build_jobs(['acd'], protocol, {'acd': 'ColorStatistics'}, {'ColorStatistics': dict(statistics=('mean',))})
    assert job.request.extractor.dim == 3
    with pytest.raises(UserError, match="ColorStatistics takes no argument 'colors'; it takes statistics"):
        build_jobs(['acd'], protocol, {'acd': 'ColorStatistics'}, {'ColorStatistics': dict(colors=1)})


def test_one_extractor_serves_all_metrics(protocol):
    jobs = build_jobs(tuple(VIDEO_SET_METRICS), protocol, TINY)
    assert len({id(job.request.extractor) for job in jobs}) == 1


def test_keys_are_bare_only_for_the_metrics_of_the_literature(protocol):
    from leokit.evaluation import load_protocol
    assert metric_key('fvd', 'i3d', load_protocol('digan')) == 'fvd'
    assert metric_key('kvd', 'i3d_styleganv', load_protocol('stylegan_v_fvd16')) == 'kvd'
    assert metric_key('fvd', 'efficientnet_lite0_dt', load_protocol('quick')) == 'fvd-efficientnet_lite0_dt@16x1'
    assert metric_key('fvd', 'i3d', protocol) == 'fvd@6x1'
    assert metric_key('acd', 'dlib_identity', load_protocol('leo')) == 'acd-dlib_identity'
    assert metric_key('fvd', 'i3d', load_protocol('leo_long')) == 'fvd@128x1'
    assert metric_key('fvd', 'i3d_styleganv', load_protocol('stylegan_v_fvd128')) == 'fvd@128x1'
    assert metric_key('fvd', 'i3d', load_protocol('digan'), complete=False) == 'fvd@16x1'
