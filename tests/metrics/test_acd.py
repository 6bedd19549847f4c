import math

import numpy as np
import pytest
import torch

from leokit.metrics import average_content_distance, content_drift

NAN = float('nan')


def test_hand_computed_mean_over_pairs():
    features = torch.tensor([[[0.0, 0], [3, 4], [3, 4]]])  # distances 5, 5, 0
    distance = average_content_distance(features)
    assert distance.value.tolist() == pytest.approx([10 / 3])
    assert distance.detected.tolist() == [3]


def test_frozen_video_scores_exactly_zero():
    frame = torch.randn(1, 1, 128, generator=torch.Generator().manual_seed(0)) * 10
    assert average_content_distance(frame.expand(2, 9, 128)).value.tolist() == [0, 0]


def test_frames_without_detection_are_left_out_never_scored_as_zero():
    complete = torch.tensor([[[0.0], [2.0], [6.0]]])
    gappy = torch.tensor([[[0.0], [NAN], [2.0], [6.0], [NAN]]])
    assert average_content_distance(gappy).value.tolist() == average_content_distance(complete).value.tolist()
    assert average_content_distance(gappy).detected.tolist() == [3]


def test_a_video_with_one_detection_has_no_value():
    features = torch.tensor([[[1.0], [NAN]], [[1.0], [2.0]]])
    value = average_content_distance(features).value.tolist()
    assert math.isnan(value[0]) and value[1] == 1


def test_a_mask_excludes_frames():
    features = torch.tensor([[[0.0], [100.0], [2.0]]])
    assert average_content_distance(features, torch.tensor([[True, False, True]])).value.tolist() == [2]


def test_order_of_frames_does_not_matter():
    features = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(average_content_distance(features).value,
                               average_content_distance(features.flip(1)).value)


def test_drift_is_the_distance_from_the_first_frame():
    features = torch.tensor([[[0.0, 0], [3, 4], [NAN, 0]], [[NAN, 0], [0, 0], [1, 0]]])
    drift = content_drift(features)
    assert drift[0, :2].tolist() == [0, 5] and math.isnan(drift[0, 2])
    assert bool(drift[1].isnan().all())


def test_drift_does_not_depend_on_the_origin():
    features = torch.tensor([[[10.0, -5], [13, -1], [10, -5]]])
    assert content_drift(features).tolist() == [[0, 5, 0]]
    assert content_drift(features, torch.tensor([[True, False, True]]))[0, ::2].tolist() == [0, 0]


def test_a_feature_with_one_missing_entry_is_missing():
    features = torch.tensor([[[0.0, 0], [3, 4], [1, NAN]]])
    assert average_content_distance(features).detected.tolist() == [2]
    assert average_content_distance(features).value.tolist() == [5]


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match='features must have shape'):
        average_content_distance(torch.zeros(3, 4))
    with pytest.raises(ValueError, match='detected must have shape'):
        average_content_distance(torch.zeros(1, 3, 4), torch.ones(3, 1, dtype=torch.bool))
    with pytest.raises(ValueError, match='features must have shape'):
        content_drift(torch.zeros(3, 4))


def test_distances_are_computed_in_float64():
    features = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(2))
    points = features.double().numpy()
    pairs = [np.linalg.norm(points[:, i] - points[:, j], axis=1) for i in range(5) for j in range(i)]
    np.testing.assert_allclose(average_content_distance(features).value, np.mean(pairs, 0), rtol=1e-13)
    np.testing.assert_allclose(content_drift(features), np.linalg.norm(points - points[:, :1], axis=2), rtol=1e-13)
