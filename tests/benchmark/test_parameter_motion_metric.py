"""Codes that are a known linear map of the parameters, so that what is read off them is known."""

import numpy as np
import pytest
import torch

from leokit.datasets import CodeCacheWriter
from leokit.metrics import frechet_distance
from leokit.registry import METRICS
from leokit.synthetic_faces import MOTION_NAMES
from leokit.utils import UserError

T, FRAMES, VIDEOS = 8, 14, 12
ASKED = ['pitch', 'yaw']
COLUMNS = [MOTION_NAMES.index(name) for name in ASKED]
MAPS = {'small': np.array([[2.0, 0, 1], [0, -0.5, 3]]), 'large': np.random.default_rng(5).normal(size=(2, 7))}


@pytest.fixture(scope='module')
def known(tmp_path_factory):
    """Ground truth of walks of different size, and the codes of two animators that encode nothing else."""
    folder, random = tmp_path_factory.mktemp('faces'), np.random.default_rng(0)
    motion = random.normal(size=(VIDEOS, FRAMES, len(MOTION_NAMES))).cumsum(1)
    motion[:, :, COLUMNS[1]] *= 10
    names = [f'v{number}' for number in range(VIDEOS)]
    np.savez(folder / 'truth.npz', names=names, identities=names, behaviors=['talking'] * VIDEOS,
             motion_names=MOTION_NAMES, motion=motion.astype(np.float32), appearance_names=['hair'],
             appearance=np.zeros((VIDEOS, 1), np.float32))
    for animator, weights in MAPS.items():
        with CodeCacheWriter(folder / animator, weights.shape[1], animator=dict(weights_hash='ab' * 32)) as writer:
            for number, name in enumerate(names):
                writer.add(name, motion[number][:, COLUMNS] @ weights + 1, identity=name, fps=25.0,
                           split='train' if number < 6 else 'test')
    return folder, motion[:, :, COLUMNS]


def measure(known, animator, generated, start=3, **options):
    """Scores of generated parameters (6, [K,] T, 2), whose codes are those that the animator would give them."""
    folder, motion = known
    metric = METRICS.build(dict(type='ParameterMotionStatistics', codes_dir=str(folder / animator),
                                ground_truth=str(folder), parameters=ASKED, **options))
    for number, values in enumerate(generated, start=6):
        real = motion[number, start:start + T]
        codes = {key: torch.from_numpy(part @ MAPS[animator] + 1).float()
                 for key, part in (('generated', values), ('real', real))}
        metric.process(None, [dict(codes, name=f'v{number}', start=torch.tensor(start))])
    return metric.evaluate(6)


def summaries(sequences):
    """Mean and mean absolute step of every parameter (B, T, 2), written out."""
    return torch.tensor([[f(row[:, k]) for f in (np.mean, lambda x: np.mean(np.abs(x[1:] - x[:-1]))) for k in (0, 1)]
                         for row in sequences])


def test_distances_are_those_of_parameters_in_units_of_their_deviation(known):
    motion = known[1]
    real, scale = motion[6:, 3:3 + T], motion[:6].reshape(-1, 2).std(0, ddof=1)
    generated = real * [1.0, 1.5] + [0, 4]
    scores = measure(known, 'small', generated)
    expected = frechet_distance(summaries(generated / scale), summaries(real / scale))
    relative = [values / scale - (values / scale)[:, :1] for values in (generated, real)]
    expected_residuals = frechet_distance(*(summaries(values[:, 1:]) for values in relative))
    for key in ('', 'true_'):  # the map is exact, so real codes and truth agree
        assert scores[f'parameters/{key}frechet-codes_dt'] == pytest.approx(expected, rel=1e-2)
        assert scores[f'parameters/{key}frechet-residuals_dt'] == pytest.approx(expected_residuals, rel=1e-2)
    assert scores['parameters/limit_frechet-codes_dt'] == pytest.approx(0, abs=1e-3 * expected)
    assert [scores[f'parameters/r2_{name}'] for name in ASKED] == pytest.approx([1, 1], abs=1e-3)
    assert scores['parameters/sequences'] == 6


def test_animators_of_other_dimensions_have_the_same_scores(known):
    generated = known[1][6:, 3:3 + T] * 1.3 + 0.5
    one, other = (measure(known, animator, generated) for animator in MAPS)
    assert one == pytest.approx(other, rel=0.05, abs=1e-3)  # the map is regularized
    assert one['parameters/dispersion_ratio'] == pytest.approx(1.3, rel=1e-2)


def test_several_sequences_of_a_start_are_one_distribution(known):
    real = known[1][6:, 3:3 + T]
    scores = measure(known, 'large', np.stack([real, real], axis=1))
    assert scores['parameters/diversity'] == pytest.approx(0, abs=1e-6)
    assert scores['parameters/true_frechet-codes_dt'] < 1e-3


def test_frames_are_those_of_the_start(known):
    """The real codes of other frames than those of the truth are far from it."""
    folder, motion = known
    metric = METRICS.build(dict(type='ParameterMotionStatistics', codes_dir=str(folder / 'small'),
                                ground_truth=str(folder), parameters=ASKED))
    for number in range(6, VIDEOS):
        codes = torch.from_numpy(motion[number, :T] @ MAPS['small'] + 1).float()
        metric.process(None, [dict(generated=codes, real=codes, name=f'v{number}', start=6)])
    scores = metric.evaluate(6)
    assert scores['parameters/frechet-codes_dt'] < 1e-3 < 0.1 < scores['parameters/limit_frechet-codes_dt']


def test_what_is_not_in_the_ground_truth_is_named(known):
    with pytest.raises(UserError, match='nod is no motion parameter; choose from yaw'):
        METRICS.build(dict(type='ParameterMotionStatistics', codes_dir=str(known[0] / 'small'),
                           ground_truth=str(known[0]), parameters=['nod'])).process(None, [{}])
    metric = METRICS.build(dict(type='ParameterMotionStatistics', codes_dir=str(known[0] / 'small'),
                                ground_truth=str(known[0]), parameters=ASKED))
    codes = torch.zeros(T, 3)
    with pytest.raises(UserError, match='has no ground truth of w9; set ground_truth of ParameterMotionStatistics'):
        metric.process(None, [dict(name='w9', start=0, generated=codes, real=codes)])


def test_a_parameter_that_does_not_change_is_named(known, tmp_path):
    """It has no unit."""
    with np.load(known[0] / 'truth.npz') as arrays:
        content = dict(arrays)
    content['motion'][:, :, COLUMNS[0]] = 0.25
    np.savez(tmp_path / 'truth.npz', **content)
    metric = METRICS.build(dict(type='ParameterMotionStatistics', codes_dir=str(known[0] / 'small'),
                                ground_truth=str(tmp_path), parameters=ASKED))
    codes = torch.zeros(T, 3)
    with pytest.raises(UserError, match='pitch does not change in the split train of .*; leave it out of parameters'):
        metric.process(None, [dict(name='v6', start=0, generated=codes, real=codes)])
