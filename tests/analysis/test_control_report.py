"""Codes that are a planted linear map of parameters, and generated motion that follows its control in a known way.

The expected values are derived by hand from the parameters below. Of three parameters, the second and the first are
compared, in this order; the third one moves the codes too.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.signatures import defaults

from leokit.analysis.control_report import control_report, control_table
from leokit.datasets import CodeCache, CodeCacheWriter
from leokit.datasets.control_file import Controls
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError

T, N = 4, 5
MAP = np.array([[2.0, 0, 1, 0, 0], [0, -1, 0, 0, 3], [0, 1, 0, 0.5, 0]])  # of (yaw, smile, roll) to codes
YAW = np.array([[0, 2, 0, -2], [1, 3, 1, 3]])  # minus their means 0 and 2, they are orthogonal
SMILE = np.array([[0, 1, 0, 1], [2, 1, 2, 1]])  # minus their means, opposite
ASK = ['smile', 'yaw']


class PlannedMotion(torch.nn.Module):
    """Generates ``start + (scale * control + deviation) @ MAP``, as differences to the first frame, in two chunks."""

    def __init__(self, deviation, dropout):
        super().__init__()
        self.map = torch.nn.Parameter(torch.from_numpy(MAP[:2]).float())
        self.deviation = torch.as_tensor(deviation).float()  # (T, 2) of every sequence: (B, T, 2)
        self.conditioning = SimpleNamespace(dropout=dict(control=dropout))
        self.calls = []

    def extend(self, start, num_frames, *, control, guidance_scales, generator):
        self.calls.append((guidance_scales['control'], [g.initial_seed() for g in generator], start, control))
        wanted = guidance_scales['control'] * (control - control[:, :1])
        if guidance_scales['control'] == 1:
            rows = [g.initial_seed() - 7 for g in generator]
            wanted = wanted + self.deviation[rows]
        codes = start[:, None] + wanted @ self.map
        yield codes[:, :3]
        yield codes[:, 3:num_frames]


@pytest.fixture(scope='module')
def known(tmp_path_factory):
    """Seven videos to fit on; the two above, once in ``test``, and once in ``val`` with twice their motion in codes."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp('codes')
    motion, splits, gain = [random.normal(size=(T + 2, 3)) for _ in range(7)], ['train'] * 7, [1.0] * 7
    for split, factor in (('test', 1.0), ('val', 2.0)):
        for yaw, smile in zip(YAW, SMILE):
            rest = random.normal(size=(2, 3))  # frames after those that are asked for
            motion.append(np.concatenate([np.stack([yaw, smile, 0 * yaw], axis=1), rest]))
            splits.append(split)
            gain.append(factor)
    names = [f'v{number}' for number in range(len(motion))]
    with CodeCacheWriter(folder, N, animator=dict(weights_hash='ab' * 32)) as writer:
        for name, values, split, factor in zip(names, motion, splits, gain):
            codes = factor * (values - values[0]) @ MAP + random.normal(size=N)  # every person has another origin
            writer.add(name, codes, identity=name, split=split, fps=25.0)
        writer.add('short', np.ones((T - 1, N)), identity='short', split='test', fps=25.0)
        writer.add('unknown', np.ones((T, N)), identity='unknown', split='test', fps=25.0)
    names.append('short')
    motion = np.stack([*motion, np.ones((T + 2, 3))]).astype(np.float32)
    truth = SyntheticTruth(names, names, ['talk'] * len(names), motion, np.zeros((len(names), 1), np.float32),
                           ('yaw', 'smile', 'roll'), ('hair',))
    controls = Controls(folder / 'controls.npz', dict(zip(names, motion[:, :, :2])), ('yaw', 'smile'), None)
    return CodeCache(folder), truth, controls


def report(known, deviation=np.zeros((2, T, 2)), dropout=0.1, **options):
    model = PlannedMotion(deviation, dropout)
    return model, control_report(model, *known, ASK, num_frames=T, seed=7, **options)


def check(errors, **expected):
    for name, values in expected.items():
        assert getattr(errors, name).tolist() == pytest.approx(values, abs=1e-3, nan_ok=True), name


def test_real_codes_have_the_asked_parameters(known):
    """Chance compares smiles that are opposite, and angles that are orthogonal, in the two videos."""
    _, result = report(known)
    assert result.names == ['v7', 'v8'] and result.parameters == ('smile', 'yaw')
    assert torch.equal(result.asked, torch.from_numpy(np.stack([SMILE, YAW], axis=2)).float())
    # squared differences of the videos: smile 4, 0, 4, 0; yaw 1, 1, 1, 25
    check(result.errors()['real'], correlation=[1, 1], error=[0, 0], chance=[-1, 0], chance_error=[2 ** 0.5, 7 ** 0.5])


def test_generated_motion_that_deviates_from_its_control(known):
    """Yaw deviates by sequences that are orthogonal to the asked ones; minus their means, their squared norms are 1, 2.

    Squared norms of the asked angles, minus their means, are 8 and 4.
    """
    deviation = np.zeros((2, T, 2))
    deviation[:, :, 0] = [[0, 1, 0, 1], [0, 1, 0, -1]]
    _, result = report(known, deviation)
    assert list(result.realized) == ['real', 'control', 'no control']
    # chance of yaw: products with what the other video was asked for are 2 and 4, squared differences 18 and 22
    check(result.errors()['control'], correlation=[1, 12 / (12 * 15) ** 0.5], error=[0, (4 / 8) ** 0.5],
          chance=[-1, 6 / (12 * 15) ** 0.5], chance_error=[2 ** 0.5, (40 / 8) ** 0.5])
    # motion that does not move: squared differences to the first frame are 0, 1, 0, 1 and 0, 4, 0, 4
    check(result.errors()['no control'], correlation=[torch.nan] * 2, error=[0.5 ** 0.5, 2 ** 0.5])
    lines = control_table(result).splitlines()
    assert len(lines) == 2 + 3 * 2
    assert '| control | yaw | 0.894 | 0.707 | 0.447 | 2.24 |' in lines


def test_every_guidance_scale_is_a_source(known):
    model, result = report(known, dropout=0.0, guidance_scales=(1.0, 0.5))
    assert list(result.realized) == ['real', 'control', 'control x 0.5']  # this model cannot do without a control
    check(result.errors()['control'], correlation=[1, 1], error=[0, 0])
    check(result.errors()['control x 0.5'], correlation=[1, 1], error=[0.125 ** 0.5, 0.5 ** 0.5])
    assert [scale for scale, *_ in model.calls] == [1.0, 0.5]
    first = [video.offset for video in known[0].videos if video.name in ('v7', 'v8')]
    for _, seeds, start, control in model.calls:
        assert seeds == [7, 8] and np.array_equal(start, known[0].codes[first])
        assert torch.equal(control, torch.from_numpy(np.stack([YAW, SMILE], axis=2)).float())


def test_the_split_is_that_of_score(known):
    """In ``val`` codes move twice as much as the parameters."""
    _, result = report(known, score='val')
    assert result.names == ['v9', 'v10']
    check(result.errors()['real'], correlation=[1, 1], error=[0.5 ** 0.5, 2 ** 0.5])


def test_the_map_is_fitted_on_the_split_of_fit(known):
    """Fitted on ``val``, it reads half the motion, as the shorter of two arrows of one direction."""
    _, result = report(known, fit='val')
    check(result.errors()['real'], correlation=[1, 1], error=[0.125 ** 0.5, 0.5 ** 0.5])


def test_batches_change_nothing(known):
    deviation = np.random.default_rng(1).normal(size=(2, T, 2))
    _, whole = report(known, deviation)
    model, single = report(known, deviation, batch_size=1)
    assert [seeds for _, seeds, *_ in model.calls] == [[7], [8], [7], [8]]
    assert all(torch.equal(whole.realized[source], single.realized[source]) for source in whole.realized)


def test_what_cannot_be_reported_is_one_sentence(known):
    model = PlannedMotion(np.zeros((2, T, 2)), 0.1)
    with pytest.raises(UserError, match='nod is no motion parameter; choose from yaw, smile, roll'):
        control_report(model, *known, ['smile', 'nod'], num_frames=T)
    with pytest.raises(UserError, match="split 'test' has 0 videos of 7 or more codes; at least 2 are needed"):
        control_report(model, *known, ASK, num_frames=T + 3)


def test_defaults():
    assert defaults(control_report) == dict(guidance_scales=(1.0,), fit='train', score='test', seed=0, batch_size=64)
