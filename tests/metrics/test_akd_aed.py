import math

import pytest
import torch

from leokit.metrics import average_identity_distance, average_keypoint_distance

NAN = float('nan')


def test_hand_computed_keypoint_distance():
    target = torch.zeros(1, 2, 2)
    prediction = torch.tensor([[[3.0, 4.0], [0.0, 1.0]]])
    score = average_keypoint_distance(prediction, target)
    assert score.values.tolist() == [3] and score.value == 3 and score.missing_rate == 0


def test_missing_detections_are_counted_and_not_averaged():
    target = torch.zeros(4, 2, 2)
    prediction = torch.ones(4, 2, 2)
    prediction[1] = NAN  # lost by the model
    target[2] = NAN  # nothing to find
    score = average_keypoint_distance(prediction, target)
    assert score.value == pytest.approx(2**0.5)
    assert score.missing.tolist() == [False, True, False, False]
    assert score.undetected.tolist() == [False, False, True, False]
    assert score.missing_rate == pytest.approx(1 / 3)


def test_no_detection_at_all_is_no_score():
    score = average_identity_distance(torch.full((2, 3), NAN), torch.full((2, 3), NAN))
    assert math.isnan(score.value) and math.isnan(score.missing_rate)


def test_identity_distance():
    score = average_identity_distance(torch.tensor([[1.0, 0], [0, 0]]), torch.tensor([[0.0, 0], [0, 2]]))
    assert score.values.tolist() == [1, 2] and score.value == 1.5


def test_the_difference_counts_at_every_point():
    """Three points moved by (3, 4), (0, 5) and (-6, 8), away from the origin; embeddings by (1, 2, -2)."""
    target = torch.tensor([[[10.0, 20], [30, 40], [50, 60]]])
    prediction = target + torch.tensor([[[3.0, 4], [0, 5], [-6, 8]]])
    assert average_keypoint_distance(prediction, target).value == pytest.approx((5 + 5 + 10) / 3)
    embedding = torch.tensor([[4.0, 5, 6]])
    assert average_identity_distance(embedding + torch.tensor([1.0, 2, -2]), embedding).value == pytest.approx(3)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match='prediction must have shape'):
        average_keypoint_distance(torch.zeros(1, 4, 3), torch.zeros(1, 4, 3))
    with pytest.raises(ValueError, match='target must have shape'):
        average_identity_distance(torch.zeros(1, 4), torch.zeros(2, 4))
    with pytest.raises(ValueError, match='target must have shape'):
        average_keypoint_distance(torch.zeros(2, 4, 2), torch.zeros(1, 4, 2))
    with pytest.raises(ValueError, match='prediction must have shape'):
        average_identity_distance(torch.zeros(4), torch.zeros(4))
