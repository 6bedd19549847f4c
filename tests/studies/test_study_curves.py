import cv2
import numpy as np

from leokit.studies import plan_runs, plot_study
from leokit.studies.study_curves import mean_curve


def test_mean_and_error_at_common_steps():
    steps, mean, error = mean_curve([{1: 1.0, 2: 4.0, 3: 0.0}, {1: 3.0, 2: 4.0}])
    assert steps.tolist() == [1, 2] and mean.tolist() == [2.0, 4.0] and error.tolist() == [1.0, 0.0]
    assert mean_curve([{5: 1.0}])[2].tolist() == [0.0]
    assert all(len(part) == 0 for part in (*mean_curve([]), *mean_curve([{1: 1.0}, {2: 1.0}])))


def test_the_curves_are_drawn(finished, tmp_path):
    study, runs = finished
    assert plot_study(study, runs, tmp_path / 'curves.png')
    assert np.ptp(cv2.imread(str(tmp_path / 'curves.png'))) > 100
    assert not plot_study(study, plan_runs(study, tmp_path), tmp_path / 'none.png')
    assert not (tmp_path / 'none.png').exists()
