import math

import pytest
import torch

from leokit.metrics.expressions import ExpressionScore, expression, expression_pairs, eye_distance
from leokit.metrics.sharpness import high_frequency_detail


def face(mouth=0.0, eyes=0.3, shift=0.0):
    """68 landmarks of a face whose eyes are 100 pixels apart."""
    points = torch.zeros(68, 2)
    points[27:36] = torch.tensor([150.0, 150.0])
    for start, middle in ((36, 100.0), (42, 200.0)):
        for offset, (x, y) in enumerate(((-20, 0), (-10, -1), (10, -1), (20, 0), (10, 1), (-10, 1))):
            points[start + offset] = torch.tensor([middle + x, 100 + y * 20 * eyes])
    points[48:68] = torch.tensor([150.0, 200.0])
    points[61:64, 1] -= 50 * mouth
    points[65:68, 1] += 50 * mouth
    return points + shift


def test_opening_of_mouth_and_eyes():
    opening = expression(torch.stack([face(mouth=0.4, eyes=0.1), face(mouth=0.0, eyes=0.3)]))
    torch.testing.assert_close(opening['mouth'], torch.tensor([0.4, 0.0]))
    torch.testing.assert_close(opening['eyes'], torch.tensor([0.1, 0.3]))
    with pytest.raises(ValueError, match='landmarks'):
        expression(torch.zeros(3, 5, 2))


def test_pairs_differ_in_expression_and_agree_in_pose():
    frames = torch.stack([face(), face(mouth=0.5, shift=40.0), face(mouth=0.3, shift=2.0), face(mouth=0.02)])
    pairs = expression_pairs(frames, 'mouth')
    assert [(pair.source, pair.driving) for pair in pairs] == [(0, 2), (2, 0)]  # frame 1 has another pose
    assert pairs[0].change == pytest.approx(0.3) == -pairs[1].change
    left, top, right, bottom = pairs[0].region
    assert left < 150 < 152 < right and top < 185 and bottom > 217 and top > 150
    assert expression_pairs(frames, 'eyes') == []


def test_a_frame_is_in_one_pair_only_and_one_without_a_face_in_none():
    frames = torch.stack([face(), face(mouth=0.5), face(mouth=0.01), face(mouth=0.4), torch.full((68, 2), torch.nan)])
    found = expression_pairs(frames, 'mouth')
    assert [(pair.source, pair.driving) for pair in found] == [(0, 1), (1, 0), (2, 3), (3, 2)]
    assert len(expression_pairs(frames, 'mouth', count=1)) == 2
    assert expression_pairs(frames[4:], 'mouth') == []


def test_the_score_distinguishes_transfer_from_a_constant_mean():
    source, driving = torch.rand(2, 3, 8, 8).unbind()
    perfect, half, copying, mean = (ExpressionScore() for _ in range(4))
    perfect.add(source, driving, driving, source)
    half.add(source, driving, (source + driving) / 2, source)
    copying.add(source, driving, source, source)
    between = (source + driving) / 2
    mean.add(source, driving, between, between)  # for every code
    assert perfect.values()['driven'] == pytest.approx(1) and math.isnan(perfect.values()['ratio_l1'])
    nan = pytest.approx(math.nan, nan_ok=True)
    for score, driven, ratio in ((half, 0.5, 2), (copying, 0, 1), (mean, 0, 2)):
        assert score.values() == dict(
            driven=pytest.approx(driven), ratio_l1=pytest.approx(ratio), sharpness=nan, pairs=1)
    assert math.isnan(ExpressionScore().values()['driven'])


def test_blur_lowers_sharpness_and_a_shift_does_not():
    driving = torch.rand(1, 3, 16, 16)
    shifted, blurred = driving.roll(1, -1), torch.nn.functional.avg_pool2d(driving, 3, 1, 1)
    sharpness = []
    for prediction in (driving, shifted, blurred):
        score = ExpressionScore()
        details = high_frequency_detail(driving)[0], high_frequency_detail(prediction)[0]
        score.add(driving[0], driving[0], prediction[0], driving[0], details)
        sharpness.append(score.values()['sharpness'])
    assert sharpness[0] == pytest.approx(1) and sharpness[1] == pytest.approx(1, abs=0.1) and sharpness[2] < 0.5


def test_openings_of_any_face_by_their_formulas():
    """Mean height of the inner lips over the eye distance; the eye aspect ratio of Soukupova and Cech."""
    points = torch.randn(3, 68, 2, generator=torch.Generator().manual_seed(0))
    found, unit = expression(points), eye_distance(points)
    for row in range(3):
        def between(a, b):
            return math.dist(points[row, a].tolist(), points[row, b].tolist())
        eyes = [points[row, first:first + 6].mean(0).tolist() for first in (36, 42)]
        assert float(unit[row]) == pytest.approx(math.dist(*eyes), rel=1e-5)
        lips = (between(61, 67) + between(62, 66) + between(63, 65)) / 3
        assert float(found['mouth'][row]) == pytest.approx(lips / math.dist(*eyes), rel=1e-5)
        ratios = [(between(o + 1, o + 5) + between(o + 2, o + 4)) / (2 * between(o, o + 3)) for o in (36, 42)]
        assert float(found['eyes'][row]) == pytest.approx(sum(ratios) / 2, rel=1e-5)
