"""``tools/analysis_tools/probe_motion_codes.py``: codes that are the truth are read in full, and looks are not."""

import json

import numpy as np
import pytest
from tools.calling import call_tool

from leokit.datasets import CodeCacheWriter
from leokit.datasets.synthetic import MOTION_NAMES, SyntheticFacesPlan, load_truth
from leokit.datasets.synthetic.truth import save_truth

TOOL = 'analysis_tools/probe_motion_codes'
PLAN = SyntheticFacesPlan(num_identities=14, clips_per_identity=1, num_frames=40, size=32, train=0.7, val=0, test=0.3)


def write_codes(folder, plan, extra=0):
    """The true motion in units of its spread, rotated, as codes."""
    truth = load_truth(folder)
    mix = np.linalg.qr(np.random.default_rng(0).normal(size=(len(MOTION_NAMES), len(MOTION_NAMES))))[0]
    mix = mix / truth.motion.std((0, 1))[:, None]
    maker = dict(weights_hash='ab' * 32, config='', checkpoint='')
    with CodeCacheWriter(folder / 'codes', len(MOTION_NAMES), animator=maker) as writer:
        for clip in plan.clips():
            codes = truth.motion[truth.index(clip.name)] @ mix
            writer.add(clip.name, np.pad(codes, ((0, extra), (0, 0))), identity=clip.identity, split=clip.split)
    return folder / 'codes'


def test_motion_is_read_and_looks_are_not(tmp_path):
    save_truth(tmp_path, PLAN)
    status, said = call_tool(TOOL, '--codes', write_codes(tmp_path, PLAN), '--truth', tmp_path, '--out',
                             tmp_path / 'r2.json')
    assert status == 0 and 'looks: mean' in said
    scores = json.loads((tmp_path / 'r2.json').read_text())
    assert set(scores['motion']) == set(MOTION_NAMES) and min(scores['motion'].values()) > 0.98
    assert max(scores['looks'].values()) < 0.5


def test_one_person_has_no_looks_to_tell_apart(tmp_path):
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=1, num_frames=20, size=32, train=0.6, val=0,
                              test=0.3)
    save_truth(tmp_path, plan)
    status, said = call_tool(TOOL, '--codes', write_codes(tmp_path, plan), '--truth', tmp_path)
    assert status == 0 and 'test shows one person only' in said


def test_mistakes_are_one_sentence(tmp_path):
    save_truth(tmp_path, PLAN)
    codes = write_codes(tmp_path, PLAN, extra=1)
    for arguments, sentence in ((('--fit', 'val'), "no video of split 'val'"), ((), 'belong to different data sets'),
                                (('--truth', tmp_path / 'none'), 'truth.npz does not exist')):
        status, said = call_tool(TOOL, '--codes', codes, '--truth', tmp_path, *arguments)
        assert status == 2 and sentence in said and 'Traceback' not in said


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
