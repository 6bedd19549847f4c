import re
import signal
import time

import pytest

from leokit.utils import UserError
from leokit.utils.time_limit import time_limit


def test_a_search_that_takes_too_long_is_stopped():
    former, began = signal.getsignal(signal.SIGALRM), time.monotonic()
    with pytest.raises(UserError, match='too slow'), time_limit(0.2, 'too slow'):
        re.search('(a+)+$', 'a' * 40 + 'b')
    assert time.monotonic() - began < 10 and signal.getsignal(signal.SIGALRM) is former


def test_what_ends_in_time_is_not_disturbed():
    with time_limit(0.2, 'too slow'):
        pass
    time.sleep(0.3)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
