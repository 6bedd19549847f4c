"""``leokit analyze probe``: codes that are the truth are predicted in full, and appearance is not."""

import json

import numpy as np
import pytest
from support.calling import call_command

from leokit.datasets import CodeCache, CodeCacheWriter
from leokit.inference import DirectionNames
from leokit.synthetic_faces import MOTION_NAMES, SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import save_truth

COMMAND = 'analyze probe'
PLAN = SyntheticFacesPlan(num_identities=14, clips_per_identity=1, num_frames=40, size=32, train=0.7, val=0, test=0.3)


def mixing(truth):
    """A rotation of the motion in units of its spread."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(len(MOTION_NAMES), len(MOTION_NAMES))))[0]
    return rotation / truth.motion.std((0, 1))[:, None]


def write_codes(folder, plan, extra=0):
    """The true motion in units of its spread, rotated, as codes."""
    truth = load_truth(folder)
    mix = mixing(truth)
    producer = dict(weights_hash='ab' * 32, config='', checkpoint='')
    with CodeCacheWriter(folder / 'codes', len(MOTION_NAMES), animator=producer) as writer:
        for clip in plan.clips():
            codes = truth.motion[truth.index(clip.name)] @ mix
            writer.add(clip.name, np.pad(codes, ((0, extra), (0, 0))), identity=clip.identity, split=clip.split)
    return folder / 'codes'


def test_motion_is_predicted_and_appearance_is_not(tmp_path):
    save_truth(tmp_path, PLAN)
    status, said = call_command(COMMAND, '--codes', write_codes(tmp_path, PLAN), '--ground-truth', tmp_path, '--out',
                             tmp_path / 'r2.json', '--components', 1, len(MOTION_NAMES))
    assert status == 0 and 'appearance: mean' in said and 'leading principal components' in said
    scores = json.loads((tmp_path / 'r2.json').read_text())
    assert set(scores['motion']) == set(MOTION_NAMES) and min(scores['motion'].values()) > 0.98
    one, whole = scores['components']
    assert whole['motion'] == pytest.approx(scores['motion'], abs=1e-3) and min(one['motion'].values()) < 0.9
    varying = [score for score in scores['appearance'].values() if score is not None]
    assert len(varying) > 50 and max(varying) < 0.5


def test_one_identity_has_no_appearance_to_predict(tmp_path):
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=1, num_frames=20, size=32, train=0.6, val=0,
                              test=0.3)
    save_truth(tmp_path, plan)
    status, said = call_command(COMMAND, '--codes', write_codes(tmp_path, plan), '--ground-truth', tmp_path)
    assert status == 0 and 'test has one identity only' in said


def test_mistakes_are_one_sentence(tmp_path):
    save_truth(tmp_path, PLAN)
    codes = write_codes(tmp_path, PLAN, extra=1)
    for arguments, sentence in ((('--fit-split', 'val'), "no video of split 'val'"),
                                ((), 'belong to different datasets'),
                                (('--ground-truth', tmp_path / 'none'), 'truth.npz does not exist')):
        status, said = call_command(COMMAND, '--codes', codes, '--ground-truth', tmp_path, *arguments)
        assert status == 2 and sentence in said and 'Traceback' not in said


def test_directions_get_the_names_of_what_they_move(tmp_path):
    save_truth(tmp_path, PLAN)
    codes = write_codes(tmp_path, PLAN)
    arguments = ('--codes', codes, '--ground-truth', tmp_path, '--name-directions', tmp_path / 'directions.json')
    status, said = call_command(COMMAND, *arguments)
    assert status == 0 and 'directions.json: yaw, ' in said
    truth, cache = load_truth(tmp_path), CodeCache(codes)
    names = DirectionNames.of_checkpoint(tmp_path / 'iter_1.pth', cache.motion_dim)
    back = np.linalg.pinv(mixing(truth))  # codes to motion
    for index, name in enumerate(MOTION_NAMES):
        moved = names.vector(name).numpy() @ back / truth.motion.std((0, 1))
        assert 0.5 < moved[index] < 2 and np.abs(np.delete(moved, index)).max() < 0.02
    before = (tmp_path / 'directions.json').read_bytes()
    status, said = call_command(COMMAND, *arguments)
    assert status == 2 and 'move it away' in said and (tmp_path / 'directions.json').read_bytes() == before


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
