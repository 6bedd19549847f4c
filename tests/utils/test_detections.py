"""Boxes that detectors find."""

import numpy as np

from leokit.utils.detections import Detection, largest_first


def test_side_center_and_order():
    wide, tall, small = (Detection(np.array(box, float), 1.0)
                         for box in ((0, 10, 40, 30), (10, 0, 20, 50), (5, 5, 6, 7)))
    assert (wide.side, tall.side, small.side) == (40, 50, 2)
    assert wide.center.tolist() == [20, 20] and tall.center.tolist() == [15, 25]
    assert largest_first([small, tall, wide]) == [wide, tall, small]  # areas 800, 500, 2
