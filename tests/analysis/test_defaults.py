"""Default values, as documented, and small parts of reports by hand."""

import math

from support.signatures import defaults

from leokit.analysis import code_probe, step_curve
from leokit.analysis.action_statistics import measure_action_statistics
from leokit.analysis.code_probe import probe_table
from leokit.analysis.disentanglement_report import _ratio
from leokit.analysis.expression_pairs import LandmarkPairs, SyntheticPairs
from leokit.analysis.factor_grid import build_factor_grid, read_identities
from leokit.analysis.long_video_comparison import LongVideoComparison


def test_arguments():
    assert defaults(LandmarkPairs) == defaults(SyntheticPairs) == dict(count=4)
    assert defaults(LongVideoComparison) == dict(num_frames=1024, num_sequences=32, seed=0)
    assert defaults(read_identities) == dict(crop='center')
    assert defaults(build_factor_grid)['mode'] == 'relative'
    assert defaults(code_probe.labeled_frames) == dict(since_start=False)
    assert defaults(code_probe.probe_codes) == dict(fit='train', score='test')
    assert defaults(measure_action_statistics) == dict(fit='train', score='test', seed=0)
    assert defaults(step_curve.held_out_windows) == dict(split='test', limit=4096)


def test_ratios():
    assert _ratio(3, 4) == 0.75 and _ratio(0, 2) == 0 and math.isnan(_ratio(1, 0))


def test_the_summary_of_appearance():
    """Without those that do not vary; negative scores count as 0 in the mean (0.1 + 0.8 + 0) / 3."""
    text = probe_table(dict(frames=(30, 20), fit='one', score='two', motion=dict(yaw=0.5), appearance=dict(
        skin=0.1, age=0.8, hair=-0.4, none=math.nan)))
    assert text.endswith('appearance: mean 0.300 over 3 parameters (negative values count as 0), maximum 0.800 (age)')
    assert 'fitted on 30 frames of one, evaluated on 20 frames of two' in text and '0.500' in text
