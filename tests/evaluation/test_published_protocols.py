"""Presets follow the code that they cite, and bare keys stand for complete measurements only."""

import dataclasses

import pytest
import torch
from support.tiny_extractors import TinyVideoFeatures

from leokit.evaluation import load_protocol, plan_trials
from leokit.evaluation.protocol import Protocol
from leokit.registry import FEATURE_EXTRACTORS, METRICS


def clips_of(name, windows, **sampling):
    protocol = load_protocol(name)
    rule = dataclasses.replace(protocol.sampling, fewer='both', trials=1, **sampling)
    return plan_trials(windows, dataclasses.replace(protocol, sampling=rule), 'real')[0]


def tiles_of_the_reference(frames, length):
    """DIGAN's make_imageclip_dataset: a clip is complete when the count of images is a multiple of its length."""
    starts, clip = [], []
    for count, frame in enumerate(range(frames), start=1):
        clip.append(frame)
        if count % length == 0:
            starts.append(clip[0])
            clip = []
    return starts


@pytest.mark.parametrize('name', ['digan', 'leo', 'leo_128'])
def test_real_clips_are_the_tiles_of_the_reference(name):
    frames = [16, 31, 32, 100]
    expected = [(video, start) for video, count in enumerate(frames) for start in tiles_of_the_reference(count, 16)]
    assert [tuple(clip) for clip in clips_of(name, [count - 15 for count in frames])] == expected


def test_taichi_is_every_fourth_frame_of_segments_of_64():
    """DIGAN's list for tai-chi: images go to one of four lists by their count modulo 4, which end at each 64th."""
    frames, expected = [61, 64, 130], []
    for video, count in enumerate(frames):
        lists = {phase: [] for phase in range(4)}
        for number, frame in enumerate(range(count), start=1):
            lists[number % 4].append(frame)
            if number % 64 == 0:
                expected += [(video, tuple(clip)) for clip in lists.values()]
                lists = {phase: [] for phase in range(4)}
    protocol = load_protocol('digan_taichi')
    found = [(clip.video, tuple(range(clip.start, clip.start + 61, 4)))
             for clip in clips_of('digan_taichi', [count - 60 for count in frames])]
    assert sorted(found) == sorted(expected) and len(found) == 4 * 3
    assert protocol.sampling.split is None and protocol.clips.span == 61 and protocol.tag == '@16x4'


def test_few_clips_do_not_get_the_key_of_the_literature():
    leo, stylegan = load_protocol('leo'), load_protocol('stylegan_v_fvd16')
    assert leo.is_complete(2048, 2048) and not leo.is_complete(2048, 3) and not leo.is_complete(3, 2048)
    allowed = leo.changed({'sampling.fewer': 'both'})
    assert allowed.name == 'leo' and not allowed.is_complete(3, 3)  # allowing fewer does not make them complete
    assert stylegan.is_complete(500, 2048) and not stylegan.is_complete(2048, 500)  # the source allows fewer real ones
    assert Protocol('own').is_complete(2048, 2048)


@FEATURE_EXTRACTORS.register_module(force=True)
class StandInI3D(TinyVideoFeatures):
    label = 'i3d'


@pytest.mark.parametrize('protocol, tag', [('leo', '@16x1'), ('leo_long', '@128x1')])
def test_a_metric_of_three_clips_is_no_published_score(protocol, tag):
    length = load_protocol(protocol).clips.length
    metric = METRICS.build(dict(type='VideoDistances', extractor=dict(type='StandInI3D'), protocol=protocol,
                                metrics=('fvd',)))
    videos = torch.rand(2, 3, length, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    metric.process(None, [dict(generated=one, real=two) for one, two in zip(*videos)])
    values = metric.evaluate(3)
    assert f'video/fvd{tag}' in values and 'video/fvd' not in values
