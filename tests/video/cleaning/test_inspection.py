"""The checks of clips against defects planted at known frames."""

import sys

import cv2
import numpy as np
import pytest

from leokit.face_detectors import Face, FaceDetector
from leokit.utils import UserError
from leokit.video.cleaning import CHECKS, DEFAULT_CHECKS, fades, inspect_clip
from leokit.video.cleaning.scene_cuts import find_scene_cuts_pyscenedetect

RATE = 25


def shot(count, seed, speed=2, height=96, width=128):
    """A window that moves over a random landscape, with a brighter square that moves against it."""
    rng = np.random.default_rng(seed)
    land = cv2.resize(rng.integers(40, 230, (8, 48, 3), dtype=np.uint8), (1536, 256), interpolation=cv2.INTER_CUBIC)
    land = np.clip(land + rng.normal(0, 12, land.shape), 30, 255).astype(np.uint8)
    frames = np.stack([land[20:20 + height, speed * n:speed * n + width] for n in range(count)])
    for n, frame in enumerate(frames):
        frame[40:60, width - 30 - n % 60:width - 10 - n % 60] = (250, 240, 90)
    return frames


def reasons(frames, checks=DEFAULT_CHECKS, **options):
    return [finding.reason for finding in inspect_clip(frames, RATE, checks, **options)]


def starts(frames, check):
    return [finding.start for finding in inspect_clip(frames, RATE, (check,))]


def test_a_clip_without_defects_has_no_finding():
    assert reasons(shot(80, 0)) == []
    assert reasons(shot(80, 0, speed=14)) == []  # fast motion is no cut


def test_cuts_are_found_at_their_frames():
    frames = np.concatenate([shot(30, 1), shot(17, 2), shot(40, 3, speed=4)])
    assert starts(frames, 'scene_cut') == [30, 47]


def test_a_jump_within_a_shot_is_a_cut():
    frames = shot(120, 4)
    assert starts(np.concatenate([frames[:40], frames[80:]]), 'scene_cut') == [40]


@pytest.mark.parametrize('length', [1, 2, 3])
def test_stray_frames_are_found_by_two_cuts(length):
    frames = shot(60, 5)
    frames[30:30 + length] = shot(length, 6)
    assert starts(frames, 'scene_cut') == [30, 30 + length]


def test_dissolves_and_fades_to_black_are_found_where_they_are(monkeypatch):
    first, second = shot(50, 7, speed=1).astype(float), shot(50, 8, speed=0).astype(float)
    weight = np.linspace(0, 1, 22)[1:-1, None, None, None]  # 20 mixed frames, 30 to 49
    dissolve = np.concatenate([first[:30], first[30:] * (1 - weight) + second[:20] * weight, second[20:]])
    found = inspect_clip(dissolve.astype(np.uint8), RATE, ('fade', 'scene_cut'))
    assert [finding.reason for finding in found] == ['fade']
    assert abs(found[0].start - 29) <= 6 and abs(found[0].end - 51) <= 6
    dark = np.concatenate([first[:30], first[30:] * (1 - weight)]).astype(np.uint8)
    assert 'fade' in reasons(dark)
    with monkeypatch.context() as patch:  # long clips are compared in blocks
        patch.setattr(fades, 'BLOCK', 7)
        assert inspect_clip(dissolve.astype(np.uint8), RATE, ('fade', 'scene_cut')) == found
    assert starts(np.concatenate([shot(40, 7), shot(40, 8)]), 'fade') == []  # a hard cut is no fade


def test_a_frozen_part_is_measured_in_seconds():
    frames = shot(80, 9)
    frames[20:45] = frames[20]
    (finding,) = inspect_clip(frames, RATE, ('frozen',))
    assert (finding.start, finding.end, finding.value) == (20, 45, 1.0)
    frames[50:54] = frames[50]  # four equal frames are shorter than a quarter of a second
    assert starts(frames, 'frozen') == [20]


def test_frames_repeated_by_a_conversion_of_the_rate():
    frames = shot(60, 10)[np.arange(75) * 4 // 5]  # 20 frames per second shown at 25: every fifth one is a repeat
    (finding,) = inspect_clip(frames, RATE, ('repeated_frames',))
    assert finding.value == pytest.approx(1 / 5, abs=0.02)
    assert starts(shot(60, 10)[np.arange(66) * 10 // 11], 'repeated_frames') == []  # one in eleven is tolerated


def test_black_frames():
    frames = shot(60, 11)
    frames[:12] = 0
    frames[50:] = 16
    found = inspect_clip(frames, RATE, ('black',))
    assert [(finding.start, finding.end, finding.value) for finding in found] == [(0, 12, 1.0), (50, 60, 1.0)]


def test_borders_give_the_picture_inside():
    frames = np.zeros((30, 120, 160, 3), np.uint8)
    frames[:, 15:105, 10:150] = shot(30, 12, height=90, width=140)
    (finding,) = inspect_clip(frames, RATE, ('borders',))
    assert finding.box == (10, 15, 150, 105)
    assert finding.value == pytest.approx(1 - 90 * 140 / (120 * 160), abs=1e-3)


def test_a_dark_background_is_no_border():
    frames = np.full((30, 96, 96, 3), 8, np.uint8)
    rows, columns = np.mgrid[:96, :96]
    frames[:, (rows - 60)**2 + (columns - 48)**2 < 30**2] = (180, 140, 120)
    assert starts(frames, 'borders') == []


def test_black_clips_have_no_borders():
    assert reasons(np.zeros((30, 64, 64, 3), np.uint8), ('borders', 'black')) == ['black']


def test_blur_is_told_from_sharp_frames_at_any_contrast():
    sharp = shot(20, 13)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 3) for frame in sharp])
    assert starts(sharp, 'blur') == [] and starts(blurred, 'blur') == [0]
    assert starts(sharp // 3 + 80, 'blur') == []  # a third of the contrast


@pytest.mark.parametrize('place', ['top', 'bottom'])
def test_captions_are_found_while_they_are_shown(place):
    frames = shot(100, 14, height=180, width=256)
    for frame in frames[25:75]:
        cv2.putText(frame, 'and this is what they said', (12, 20 if place == 'top' else 165),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
    (finding,) = inspect_clip(frames, RATE, ('caption',))
    assert abs(finding.start - 25) <= 6 and abs(finding.end - 75) <= 6


class Boxes(FaceDetector):
    """Finds the same faces in every frame."""

    def __init__(self, *boxes):
        self.boxes = boxes

    def detect(self, frame, *, thorough=False):
        return [Face(np.array(box, np.float64), 1.0) for box in self.boxes]


def test_faces_are_counted():
    frames = shot(50, 15)
    large, half, tiny = (0, 0, 40, 40), (50, 0, 78, 28), (50, 0, 56, 6)
    assert reasons(frames, ('faces',), face_detector=Boxes(large)) == []
    assert reasons(frames, ('faces',), face_detector=Boxes(large, half)) == ['several_faces']
    assert reasons(frames, ('faces',), face_detector=Boxes(large, tiny)) == []  # background
    assert reasons(frames, ('faces',), face_detector=Boxes()) == ['no_face']


def test_chunks_give_what_the_whole_array_gives():
    frames = np.concatenate([shot(31, 16), shot(40, 17)])
    frames[50:60] = frames[50]
    whole = inspect_clip(frames, RATE)
    assert {finding.reason for finding in whole} == {'scene_cut', 'frozen'}
    for size in (1, 7, 32):
        assert inspect_clip((frames[start:start + size] for start in range(0, 71, size)), RATE) == whole


def test_one_frame_has_no_defects_of_motion():
    assert reasons(shot(1, 18)) == []


def test_long_clips_are_inspected_chunk_by_chunk():
    alive = []

    def chunks():
        for number in range(20):
            alive.append(number)
            yield shot(8, number)
            assert len(alive) == number + 1  # nothing is requested ahead
    assert len(inspect_clip(chunks(), RATE, ('scene_cut',))) == 19


@pytest.mark.parametrize('frames', [np.zeros((4, 8, 8)), np.zeros((4, 8, 8, 4), np.uint8), [None],
                                    [np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 9, 8, 3), np.uint8)], []])
def test_wrong_frames_are_refused(frames):
    with pytest.raises(ValueError, match='frames'):
        inspect_clip(frames, RATE)


def test_wrong_checks_and_rates_are_refused():
    with pytest.raises(UserError, match="unknown check 'scene_cuts'; did you mean 'scene_cut'"):
        inspect_clip(shot(4, 0), RATE, ('scene_cuts',))
    with pytest.raises(ValueError, match='frame_rate'):
        inspect_clip(shot(4, 0), 0)
    assert set(DEFAULT_CHECKS) == set(CHECKS) - {'faces'}


def test_cuts_of_pyscenedetect():
    pytest.importorskip('scenedetect')
    frames = np.concatenate([shot(30, 1, speed=0), shot(30, 2, speed=0)])
    found = find_scene_cuts_pyscenedetect([frames[:45], frames[45:]], RATE)
    assert [(finding.reason, finding.start, finding.end) for finding in found] == [('scene_cut', 30, 31)]


def test_pyscenedetect_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, 'scenedetect', None)
    with pytest.raises(UserError, match=r'pip install "leokit\[cleaning\]"'):
        find_scene_cuts_pyscenedetect([shot(4, 1)], RATE)
