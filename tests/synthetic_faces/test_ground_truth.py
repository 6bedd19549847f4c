import numpy as np
import pytest

from leokit.synthetic_faces import IDENTITY_NAMES, MOTION_NAMES, SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import TRUTH_FILE, save_truth
from leokit.utils import UserError


def test_truth_survives_the_file_and_follows_the_names(tmp_path):
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=2, num_frames=5)
    save_truth(tmp_path, plan)
    truth = load_truth(tmp_path)
    assert truth.motion.shape == (6, 5, len(MOTION_NAMES)) and truth.looks.shape == (6, len(IDENTITY_NAMES))
    assert truth.motion_names == MOTION_NAMES and truth.looks_names == IDENTITY_NAMES
    for row, clip in enumerate(plan.clips()):
        motion, behavior = plan.motion(clip)
        assert (truth.names[row], truth.identities[row], truth.behaviors[row]) == (clip.name, clip.identity, behavior)
        assert np.array_equal(truth.motion[row], motion) and truth.index(clip.name) == row
    with pytest.raises(KeyError, match='nobody'):
        truth.index('nobody')


def test_missing_and_damaged_files_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match='make_synthetic_faces'):
        load_truth(tmp_path)
    (tmp_path / TRUTH_FILE).write_bytes(b'PK half a file')
    with pytest.raises(UserError, match='damaged'):
        load_truth(tmp_path)
