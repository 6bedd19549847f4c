"""Default values, as documented."""

from support.signatures import defaults

from leokit.long_video import History, LastCode, Overlap


def test_strategies():
    common = dict(pull=0.0, bound=2.0)
    assert defaults(LastCode) == common
    assert defaults(History) == dict(common, context_frames=4)
    assert defaults(Overlap) == dict(common, overlap=8, ramp='cosine')
