import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from leokit.evaluation import build_jobs, evaluate_sets, load_records, scan_videos
from leokit.registry import METRICS
from leokit.utils import UserError

PROTOCOL = dict(name='tiny', clips=dict(length=4), frames=dict(resolution=12),
                sampling=dict(num_clips=6, real='first', fake='first'))


def videos(seed, number=6):
    return torch.rand(number, 5, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * (0.5 + seed % 3) - 0.5


def build(*metrics, extractor='TinyImageFeatures', **options):
    return METRICS.build(dict(type='VideoDistances', extractor=dict(type=extractor), protocol=PROTOCOL,
                              metrics=metrics or ('fvd',), **options))


def run(metric, fake, real=None, batch=4):
    for start in range(0, len(fake), batch):
        part = [dict(generated=video) for video in fake[start:start + batch]]
        for number, sample in enumerate(part):
            if real is not None:
                sample['real'] = real[start + number]
        metric.process(None, part)
    return metric.evaluate(len(fake))


def save(folder, clips):
    folder.mkdir()
    for number, clip in enumerate(clips):
        pixels = ((clip.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).movedim(1, -1)
        np.save(folder / f'{number}.npy', pixels.numpy())
    return folder


@pytest.mark.parametrize('extractor', ['TinyImageFeatures', 'TinyVideoFeatures'])
def test_values_agree_with_those_of_the_saved_videos(tmp_path, extractor):
    fake, real = videos(1), videos(2)
    metric = build('fvd', 'kvd', extractor=extractor)
    result = run(metric, fake, real)
    sets = [scan_videos(save(tmp_path / name, clips), metric.protocol)
            for name, clips in (('real', real), ('fake', fake))]
    jobs = build_jobs(['fvd', 'kvd'], metric.protocol, {'': extractor})
    for record in evaluate_sets(*sets, jobs, metric.protocol):
        assert result[f'video/{record.metric}'] == pytest.approx(record.score.value, rel=1e-5)
        assert result[f'video/{record.metric}_std'] == pytest.approx(record.score.std, rel=1e-4)


def test_real_folder_gives_the_same_as_real_predictions_and_is_cached(tmp_path):
    fake, real = videos(1), videos(2)
    folder = save(tmp_path / 'real', real)
    expected = run(build(), fake, real)
    metric = build(real=str(folder), cache_dir=str(tmp_path / 'cache'))
    for _ in range(2):  # validation happens again and again
        assert run(metric, fake) == pytest.approx(expected)
    assert len(list((tmp_path / 'cache').iterdir())) == 1


def test_keys_carry_extractor_and_clip():
    assert set(run(build(), videos(1), videos(2))) == {
        'video/fvd-tiny_dt@4x1', 'video/fvd-tiny_dt@4x1_std', 'video/clips-tiny_dt@4x1'}
    assert 'video/kvd-tiny_video@4x1' in run(build('kvd', extractor='TinyVideoFeatures'), videos(1), videos(2))


@pytest.mark.parametrize('metrics', [('acd',), ('fvd_over_time',), ('fvd', 'nonsense')])
def test_metrics_other_than_distances_of_clips_are_refused(metrics):
    with pytest.raises(UserError, match=r'metrics of VideoDistances must be some of fvd, kvd, got'):
        build(*metrics)


def test_two_extractors_share_an_evaluator():
    evaluator = Evaluator([build(), build(extractor='TinyVideoFeatures')])
    fake, real = videos(1), videos(2)
    evaluator.process([dict(generated=a, real=b) for a, b in zip(fake, real)])
    values = evaluator.evaluate(len(fake))
    assert {'video/clips-tiny_dt@4x1', 'video/clips-tiny_video@4x1', 'video/fvd-tiny_video@4x1'} <= set(values)


def test_batches_do_not_change_the_value():
    one, six = (run(build(), videos(1), videos(2), batch=size) for size in (1, 6))
    assert one == pytest.approx(six, rel=1e-6)


def test_every_evaluation_adds_a_record(tmp_path):
    metric = build(records=str(tmp_path / 'records.json'))
    for seed in (1, 4):
        run(metric, videos(seed), videos(2))
    run(build(records=str(tmp_path / 'records.json'), extractor='TinyVideoFeatures'), videos(4), videos(2))
    records = load_records(tmp_path / 'records.json')
    assert [record.metric for record in records] == ['fvd-tiny_dt@4x1', 'fvd-tiny_dt@4x1', 'fvd-tiny_video@4x1']
    assert [record.protocol['extractor'] for record in records] == ['TinyImageFeatures'] * 2 + ['TinyVideoFeatures']
    assert records[0].score.value != records[1].score.value and records[0].fake.clips == 6


def test_missing_or_short_videos_are_refused():
    with pytest.raises(UserError, match="needs the video 'real' in every prediction.*no folder was given"):
        run(build(), videos(1))
    with pytest.raises(UserError, match='have 3 frames and the protocol tiny needs 4'):
        run(build(), videos(1)[:, :3], videos(2))


def test_cached_clips_change_no_value():
    metric, expected = build(cache_real=True), [run(build(), videos(seed), videos(2)) for seed in (1, 4)]
    seen = []
    metric.extractor.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    for seed, values in zip((1, 4), expected):
        metric.process(None, [dict(generated=fake, real=real, name=str(number), start=0)
                              for number, (fake, real) in enumerate(zip(videos(seed), videos(2)))])
        assert metric.evaluate(6) == pytest.approx(values)
    assert sum(seen) == 3 * 6 * 4  # frames: generated twice, real once
    with pytest.raises(UserError, match='cached by their name and start'):
        run(metric, videos(1), videos(2))
