"""Proportions of textured faces, against landmarks of people."""

import numpy as np
import pytest

from leokit.synthetic_faces import APPEARANCE_NAMES, SyntheticFacesPlan, load_truth, sample_identities
from leokit.synthetic_faces.dataset_writer import write_synthetic_truth
from leokit.synthetic_faces.proportions import adult_proportions

NUMBERS = range(400)
# Medians of dlib's landmarks in clips of 39 people, in eye distances: from the line of the eyes, and widths.
PEOPLE = dict(face_bottom=1.85, mouth_y=1.15, brow_y=-0.35, eye_width=0.39, mouth_width=0.82, nose_width=0.44)


def columns(table):
    return dict(zip(APPEARANCE_NAMES, table.T.astype(np.float64)))


def ratios(table):
    """The same lengths of the faces; widths in the table are halves."""
    face = columns(table)
    unit = 2 * face['eye_spacing']
    return {name: (2 * face[name] if name.endswith('width') else face[name] - face['eye_y']) / unit for name in PEOPLE}


def test_faces_have_the_proportions_of_people():
    drawn = sample_identities(NUMBERS)
    adult = ratios(adult_proportions(drawn, NUMBERS))
    for name, wanted in PEOPLE.items():
        assert np.median(adult[name]) == pytest.approx(wanted, rel=0.12)
        assert np.std(np.log(np.abs(adult[name]))) > 0.05  # different people
        error = abs(np.median(ratios(drawn)[name]) / wanted - 1)
        assert abs(np.median(adult[name]) / wanted - 1) < error


def test_parts_of_the_face_stay_apart():
    face = columns(adult_proportions(sample_identities(NUMBERS), NUMBERS))
    assert (face['nose_y'] + 1.1 * face['nose_width'] / 2 < face['mouth_y'] - face['lip_upper']).all()
    assert (face['mouth_y'] + face['lip_lower'] < face['face_bottom']).all()
    assert (face['brow_y'] + face['brow_thickness'] < face['eye_y'] - face['eye_height']).all()
    assert (face['eye_width'] < face['eye_spacing']).all()


def test_an_identity_does_not_depend_on_the_others_and_keeps_everything_else():
    drawn = sample_identities(NUMBERS, seed=3)
    together = adult_proportions(drawn, NUMBERS, seed=3)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together[[7]], adult_proportions(drawn[[7]], [7], seed=3))
    before, after = columns(drawn), columns(together)
    assert {name for name in APPEARANCE_NAMES if not np.array_equal(before[name], after[name])} == {
        'nose_y', 'mouth_y', 'face_bottom', 'brow_y', 'eye_width', 'eye_height', 'iris_size', 'lashes', 'nose_width',
        'mouth_width', 'shoulder_y'}


def test_textured_faces_have_them_and_drawn_ones_do_not(tmp_path):
    options = dict(num_identities=2, clips_per_identity=1, num_frames=2, size=32, seed=5)
    drawn = sample_identities(range(2), seed=5)
    write_synthetic_truth(tmp_path / 'drawn', SyntheticFacesPlan(**options))
    np.testing.assert_array_equal(load_truth(tmp_path / 'drawn').appearance, drawn)
    plan = SyntheticFacesPlan(**options, style='textured')
    write_synthetic_truth(tmp_path / 'textured', plan)
    appearance = load_truth(tmp_path / 'textured').appearance
    np.testing.assert_array_equal(appearance, adult_proportions(drawn, range(2), 5))
    np.testing.assert_array_equal(appearance[[1]], plan.appearance(plan.clips()[1]))
    # folders of drawn faces remain valid, those of textured ones from before do not
    assert SyntheticFacesPlan(**options).settings()['version'] == 2 and plan.settings()['version'] == 4
