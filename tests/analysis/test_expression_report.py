import numpy as np
import pytest
import torch
from support.tiny_extractors import TinyLandmarks

from leokit.analysis import LandmarkPairs, measure_expressions
from leokit.analysis.expression_report import _region
from leokit.datasets import FramePairDataset
from leokit.metrics.expressions import ExpressionPair
from leokit.models import Animator
from leokit.utils import UserError
from support.tiny_models import SIZE


def test_compared_pixels():
    frames = torch.zeros(2, 3, 8, 8)
    frames[1, 2, 3:5, 6] = 0.5  # one channel of two pixels
    index = _region(ExpressionPair(0, 1, 0.1, None), frames)
    assert frames[1][index].shape == (3, 2) and frames[1][index][2].tolist() == [0.5, 0.5]
    # rounded, cut at the border, both edges inside
    assert frames[0][_region(ExpressionPair(0, 1, 0.1, (-3.0, 2.4, 4.6, 9.0)), frames)].shape == (3, 6, 6)


def write(folder, brightness, name='a'):
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    frames = np.stack([np.full((SIZE, SIZE, 3), value, np.uint8) for value in brightness])
    noise = rng.integers(0, 20, frames.shape, dtype=np.uint8)
    np.save(folder / f'{name}.npy', np.where(frames > 0, np.minimum(frames, 200) + noise, 0).astype(np.uint8))
    return folder


def videos(folder):
    return FramePairDataset(folder, SIZE, frames=dict(in_memory=True))


def test_an_animator_that_copies_the_source_is_driven_by_nothing(tmp_path):
    # frames 0 and 3 differ most, then 1 and 2; the last one has no face
    dataset = videos(write(tmp_path, (10, 60, 150, 200, 0)))
    copying = Animator(SIZE, 16, motion_dim=4, max_channels=8, flow_generator=dict(
        type='LIAFlowGenerator', warp_operator=dict(type='BilinearWarp', grid='exact'))).eval()
    report = measure_expressions(copying, dataset, LandmarkPairs(TinyLandmarks()))
    mouth, eyes = report.values()['mouth'], report.values()['eyes']
    assert mouth['pairs'] == 4 and eyes['pairs'] == 0
    assert mouth['driven'] == pytest.approx(0, abs=1e-6) and mouth['ratio_l1'] == pytest.approx(1, abs=0.1)
    fewer = measure_expressions(copying, dataset, LandmarkPairs(TinyLandmarks(), count=1))
    assert fewer.values()['mouth']['pairs'] == 2
    assert '| mouth | 0.00 |' in report.table().replace('-0.00', '0.00')
    sheet = report.sheet()
    assert sheet.dtype == np.uint8 and sheet.shape[1] > 5 * SIZE


def test_a_moving_animator_is_driven(animator, tmp_path):
    report = measure_expressions(animator, videos(write(tmp_path, (10, 60, 150, 200))), LandmarkPairs(TinyLandmarks()))
    assert abs(report.values()['mouth']['driven']) > 1e-4


def test_videos_without_expression_changes_are_refused(animator, tmp_path):
    for brightness in ((100, 101), (0, 0, 0)):
        with pytest.raises(UserError, match='same pose with different mouth or eyes'):
            measure_expressions(animator, videos(write(tmp_path, brightness)), LandmarkPairs(TinyLandmarks()))
