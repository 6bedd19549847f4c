import numpy as np
import pytest
import torch

from leokit.synthetic_faces import (
    APPEARANCE_NAMES, MOTION_NAMES, SyntheticFacesPlan, load_truth, write_synthetic_faces, write_synthetic_truth)
from leokit.synthetic_faces.ground_truth import TRUTH_FILE, save_truth
from leokit.utils import UserError
from leokit.video import open_video


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


@pytest.mark.parametrize('style', ['drawn', 'textured'])
def test_frames_are_those_of_the_videos(tmp_path, style):
    plan = SyntheticFacesPlan(num_identities=2, clips_per_identity=1, num_frames=4, size=32, style=style)
    write_synthetic_faces(tmp_path, plan, workers=0, show_progress=False)
    truth = load_truth(tmp_path)
    assert (truth.textures is None) == (style == 'drawn')
    for row, clip in enumerate(plan.clips()):
        with open_video(tmp_path / clip.file) as video:
            stored = torch.from_numpy(video.read(range(4))).permute(0, 3, 1, 2)
        error = (truth.frames(row, truth.motion[row], size=32).int() - stored.int()).abs()
        assert error.float().mean() < 1  # the rounding of the color conversion
    still = truth.motion[0][[0, 0]]
    for noise in (True, False):
        first, second = truth.frames(0, still, size=32, noise=noise)
        assert torch.equal(first, second) == (style == 'drawn' or not noise)
    other = truth.frames(0, truth.motion[1], size=32, appearance=truth.appearance[1])
    assert torch.equal(other, truth.frames(1, truth.motion[1], size=32)) == (style == 'drawn')


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


@pytest.mark.parametrize('textures', ['missing', 'fewer'])
def test_textured_faces_of_older_versions_are_refused(tmp_path, textures):
    """They would be rendered as drawn ones, or with another camera."""
    write_synthetic_truth(tmp_path, SyntheticFacesPlan(num_identities=1, num_frames=2, style='textured'))
    with np.load(tmp_path / TRUTH_FILE) as arrays:
        content = dict(arrays)
    found = content.pop('textures')
    if textures == 'fewer':
        content['textures'] = found[:, :-3]
    np.savez(tmp_path / TRUTH_FILE, **content)
    with pytest.raises(UserError, match='textures, not .* another version of leokit; render the dataset again'):
        load_truth(tmp_path)


def test_missing_and_damaged_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match='leokit synthetic-faces'):
        load_truth(tmp_path)
    (tmp_path / TRUTH_FILE).write_bytes(b'PK half a file')
    with pytest.raises(UserError, match='damaged'):
        load_truth(tmp_path)
    save_truth(tmp_path, SyntheticFacesPlan(num_identities=1, num_frames=2))
    (tmp_path / 'synthetic_faces.json').write_text('{"style"')
    with pytest.raises(UserError, match='synthetic_faces.json is damaged'):
        load_truth(tmp_path)
