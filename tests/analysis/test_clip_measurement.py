"""Sets of clips: landmarks in eye distances, gaps, identities."""

import math

import numpy as np
import pytest
import torch

from leokit.analysis import clip_measurement
from leokit.analysis.clip_features import ClipFeatureCache
from leokit.analysis.clip_measurement import FrameFeatures, measure_clips, scaled_landmarks
from leokit.datasets import FrameDecoder
from leokit.video import VideoIndex, write_manifest

LENGTH = 40
EYES = 20.0  # pixels between the eyes


def face():
    """Landmarks (68, 2): eyes EYES apart, everything else at one point."""
    points = torch.full((68, 2), 30.0)
    outline = torch.tensor([[-4.0, 0], [-2, -1], [2, -1], [4, 0], [2, 1], [-2, 1]])
    points[36:42] = torch.tensor([20.0, 10.0]) + outline
    points[42:48] = torch.tensor([20.0 + EYES, 10.0]) + outline
    return points


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    for name in 'ab':
        np.save(tmp_path / f'{name}.npy', np.random.default_rng(0).integers(0, 255, (LENGTH, 8, 8, 3), dtype=np.uint8))
    write_manifest(tmp_path / 'manifest.json', [dict(file=f'{name}.npy', identity='p', fps=25) for name in 'ab'])
    return tmp_path


def measure(data, points):
    content = FrameFeatures(lambda frames: frames.mean((2, 3)), 'color')
    motion = FrameFeatures(lambda frames: points.flatten(1), 'points', landmarks=True)
    return measure_clips(VideoIndex(data).videos, FrameDecoder(8), LENGTH, content, motion, ClipFeatureCache(None))


def test_motion_of_the_whole_face_is_in_eye_distances(data):
    points = face() + torch.arange(LENGTH)[:, None, None] * torch.tensor([0.3, 0.4])  # half a pixel per frame
    part = measure(data, points)
    assert part.identities == dict(a='p', b='p')
    values = part.values['a']
    assert values['range'] == pytest.approx((LENGTH - 1) * 0.5 / EYES, rel=1e-5)
    assert values['drift'] == pytest.approx(30 * 0.5 / EYES, rel=1e-5) and values['tracked'] == 1


def test_few_missing_frames_are_interpolated_and_counted(data):
    points = face() + torch.arange(LENGTH)[:, None, None] * torch.tensor([0.3, 0.4])
    points[[5, 6, 20]] = math.nan
    values = measure(data, points).values['a']
    assert values['range'] == pytest.approx((LENGTH - 1) * 0.5 / EYES, rel=1e-5)
    assert values['jitter'] == pytest.approx(0, abs=1e-5) and values['tracked'] == pytest.approx(37 / 40)
    points[:5] = math.nan  # 8 of 40
    values = measure(data, points).values['a']
    assert math.isnan(values['range']) and math.isnan(values['nods']) and values['tracked'] == pytest.approx(0.8)


def test_one_point_of_68_counts_by_its_share():
    points = face().expand(2, 68, 2).clone()
    points[1, 0] += torch.tensor([0.0, EYES])
    moved = scaled_landmarks(points.flatten(1))
    assert float((moved[1] - moved[0]).norm()) == pytest.approx(1 / math.sqrt(68))


def test_a_long_clip_is_described_in_parts(data, monkeypatch):
    calls = []

    def colors(frames):
        calls.append(len(frames))
        return frames.mean((2, 3))

    def values():
        features = FrameFeatures(colors, 'color'), FrameFeatures(colors, 'again')
        videos = VideoIndex(data).videos[:1]
        return measure_clips(videos, FrameDecoder(8), LENGTH, *features, ClipFeatureCache(None)).values
    whole = values()
    monkeypatch.setattr(clip_measurement, 'FRAMES_AT_ONCE', 16)
    assert values() == whole and calls == [LENGTH] * 2 + [16, 16, 8] * 2
