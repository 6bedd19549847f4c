"""Default values, as documented."""

import pytest
from support.signatures import defaults

from leokit.long_video import CalibratedOverlap, History, LastCode, Overlap
from leokit.utils import UserError


def test_strategies():
    common = dict(pull=0.0, bound=2.0)
    assert defaults(LastCode) == common
    assert defaults(History) == dict(common, context_frames=4)
    assert defaults(Overlap) == dict(common, overlap=8, ramp='cosine')
    assert defaults(CalibratedOverlap) == dict(common, overlap=10, ramp='minimum_jerk', gain=1.035, period=12.0)


def test_the_limits_of_pull_and_bound():
    for options in (dict(pull=1.0), dict(pull=0.0), dict(bound=0.5)):
        strategy = LastCode(**options)
        assert (strategy.pull, strategy.bound) == (options.get('pull', 0.0), options.get('bound', 2.0))
    for options in (dict(pull=1.01), dict(pull=-0.01), dict(bound=0.0), dict(bound=float('nan'))):
        with pytest.raises(UserError, match='pull'):
            LastCode(**options)
    assert History(1).context_frames == 1
    with pytest.raises(UserError, match='1 or more frames'):
        History(0)
