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


MIXED = [VideoEntry(name, name, identity, category=category, frames=count, last=count)
         for name, identity, category, count in (
             ('a', 'x', 'real', 30), ('b', 'x', 'real', 10), ('c', 'y', 'real', 5), ('d', 'u', 'drawn', 20),
             ('e', 'v', 'drawn', 60), ('f', 'w', None, 8))]


@pytest.mark.parametrize('weighting, expected', [
    # a quarter for real, half for drawn, the remaining quarter for the video without a category
    ('identity', [3 / 32, 1 / 32, 1 / 8, 1 / 4, 1 / 4, 1 / 4]),
    ('length', [30 / 180, 10 / 180, 5 / 180, 1 / 8, 3 / 8, 1 / 4]),
    ('video', [1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 4, 1 / 4])])
def test_categories_have_their_shares(weighting, expected):
    weights = video_weights(MIXED, weighting, dict(real=0.25, drawn=0.5))
    assert weights == pytest.approx(expected, rel=1e-12)


def test_shares_are_those_of_the_samples():
    generator = np.random.default_rng(0)
    sampler = VideoSampler(MIXED, 'video', per_video=2, category_shares=dict(drawn=0.8))
    counts = Counter(sampler.sample(0, generator).category for _ in range(4000))
    assert [counts[name] / 4000 for name in ('drawn', 'real', None)] == pytest.approx([0.8, 0.15, 0.05], abs=0.02)


@pytest.mark.parametrize('shares, message', [
    (dict(real=1.5), r"share of 'real' must be in \(0, 1\], got 1.5"),
    (dict(real=0), r'must be in \(0, 1\], got 0'),
    (dict(real=0.7, drawn=0.6), 'must not sum to more than 1'),
    (dict(cartoon=0.5), "no video in use has the category 'cartoon'; there are: None, drawn, real"),
    (dict(real=0.7, drawn=0.3), 'leave nothing for the videos of other categories')])
def test_shares_that_cannot_be_kept_are_refused(shares, message):
    with pytest.raises(UserError, match=message):
        video_weights(MIXED, 'identity', shares)


def test_shares_below_one_need_other_videos():
    with pytest.raises(UserError, match='there are no videos of other categories'):
        video_weights(MIXED[:5], 'identity', dict(real=0.5, drawn=0.4))
