import numpy as np
import pytest

from leokit.synthetic_faces import APPEARANCE_NAMES, MOTION_NAMES, SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import TRUTH_FILE, save_truth
from leokit.utils import UserError


def test_truth_round_trip(tmp_path):
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=2, num_frames=5)
    save_truth(tmp_path, plan)
    truth = load_truth(tmp_path)
    assert truth.motion.shape == (6, 5, len(MOTION_NAMES)) and truth.appearance.shape == (6, len(APPEARANCE_NAMES))
    assert truth.motion_names == MOTION_NAMES and truth.appearance_names == APPEARANCE_NAMES
    for row, clip in enumerate(plan.clips()):
        motion, behavior = plan.motion(clip)
        assert (truth.names[row], truth.identities[row], truth.behaviors[row]) == (clip.name, clip.identity, behavior)
        assert np.array_equal(truth.motion[row], motion) and truth.index(clip.name) == row
    with pytest.raises(KeyError, match='unknown'):
        truth.index('unknown')


def test_files_of_older_versions_load(tmp_path):
    save_truth(tmp_path, SyntheticFacesPlan(num_identities=3, clips_per_identity=2, num_frames=5))
    truth = load_truth(tmp_path)
    with np.load(tmp_path / TRUTH_FILE) as arrays:
        current = dict(arrays)
    british = [name.replace('color', 'colour').replace('mustache', 'moustache') for name in APPEARANCE_NAMES]
    assert set(british) - set(APPEARANCE_NAMES)
    old = dict(current, behaviours=current['behaviors'], looks=current['appearance'], looks_names=british)
    for key in ('behaviors', 'appearance', 'appearance_names'):
        del old[key]
    np.savez_compressed(tmp_path / TRUTH_FILE, **old)
    loaded = load_truth(tmp_path)
    assert all(np.array_equal(one, two) for one, two in zip(loaded, truth))
    assert loaded.appearance_names == APPEARANCE_NAMES and loaded.behaviors == truth.behaviors


def test_missing_and_damaged_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match='leokit synthetic-faces'):
        load_truth(tmp_path)
    (tmp_path / TRUTH_FILE).write_bytes(b'PK half a file')
    with pytest.raises(UserError, match='damaged'):
        load_truth(tmp_path)
