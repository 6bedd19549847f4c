from collections import Counter

import numpy as np
import pytest

from leokit.datasets.video_sampling import VideoSampler, check_weighting, video_weights
from leokit.utils import UserError
from leokit.video import VideoEntry

VIDEOS = [VideoEntry(name, name, identity, frames=count, last=count)
          for name, identity, count in (('a', 'x', 30), ('b', 'x', 10), ('c', 'y', 5))]


def test_weights():
    assert video_weights(VIDEOS, 'video').tolist() == [1, 1, 1]
    assert video_weights(VIDEOS, 'length').tolist() == [30, 10, 5]
    assert video_weights(VIDEOS, 'identity').tolist() == [0.75, 0.25, 1]


@pytest.mark.parametrize('weighting, shares', [
    ('length', (30 / 45, 10 / 45, 5 / 45)), ('identity', (3 / 8, 1 / 8, 0.5))])
def test_videos_are_sampled_by_weight(weighting, shares):
    generator = np.random.default_rng(0)
    sampler = VideoSampler(VIDEOS, weighting)
    counts = Counter(sampler.sample(0, generator).name for _ in range(4000))
    assert [counts[name] / 4000 for name in 'abc'] == pytest.approx(shares, abs=0.03)


def test_unweighted_videos_follow_the_index_or_are_random():
    generator = np.random.default_rng(0)
    sampler = VideoSampler(VIDEOS, 'video', per_video=2)
    assert [sampler.sample(index, generator).name for index in range(6)] == list('aabbcc')
    assert {sampler.sample(None, generator).name for _ in range(50)} == set('abc')


def test_an_unknown_weighting_is_refused():
    with pytest.raises(UserError, match='video, length, identity'):
        check_weighting('size')
