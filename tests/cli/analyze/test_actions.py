"""``leokit analyze actions``: a tiny motion diffusion over codes that are the truth."""

import json

import pytest
from cli.analyze.test_probe import write_codes
from support.calling import call_command
from support.tiny_runs import MOTION_CONFIG

from leokit.synthetic_faces import MOTION_NAMES, SyntheticFacesPlan
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils.checkpoints import save_checkpoint
from support.tiny_models import MOTION_DIM, make_motion_diffusion

COMMAND = 'analyze actions'
PLAN = SyntheticFacesPlan(num_identities=40, clips_per_identity=1, num_frames=40, size=32, train=0.7, val=0, test=0.3)


@pytest.fixture
def run(tmp_path):
    """Run the command with a model of codes of some animator."""
    save_truth(tmp_path, PLAN)
    codes = write_codes(tmp_path, PLAN)
    text = MOTION_CONFIG.replace(f'motion_dim={MOTION_DIM}', f'motion_dim={len(MOTION_NAMES)}')
    (tmp_path / 'lmdm.py').write_text(text)

    def call(*arguments, animator='ab' * 32):
        model = make_motion_diffusion(animator, len(MOTION_NAMES))
        save_checkpoint(dict(meta=dict(model='MotionDiffusion'), state_dict=model.state_dict()), tmp_path / 'lmdm.pth')
        return call_command(COMMAND, tmp_path / 'lmdm.py', tmp_path / 'lmdm.pth', '--codes', codes, '--ground-truth',
                            tmp_path, '--device', 'cpu', *arguments)
    return call


def test_generated_and_real_motion_side_by_side(run, tmp_path):
    status, said = run('--num-frames', '12', '--out', tmp_path / 'out.json')
    assert status == 0 and '| pitch |' in said and '| talks |' in said, said
    found = json.loads((tmp_path / 'out.json').read_text())
    assert set(found['parameters']) == set(MOTION_NAMES) and (found['clips'], found['frames']) == (12, 12)
    assert abs(found['parameters']['pitch']['range_ratio'] - 1) > 0.01  # untrained
    again = run('--num-frames', '12')
    other = run('--num-frames', '12', '--seed', '1')
    assert again[1].splitlines()[-8:] == said.splitlines()[-8:] and other[1] != again[1]


def test_mistakes_are_one_sentence(run, tmp_path):
    for arguments, animator, sentence in (
            ((), 'cd' * 32, 'belong to different animators'),
            (('--score-split', 'val'), 'ab' * 32, "no video of split 'val'"),
            (('--num-frames', '99'), 'ab' * 32, 'pass a smaller number of frames'),
            (('--ground-truth', tmp_path / 'none'), 'ab' * 32, 'truth.npz does not exist')):
        status, said = run(*arguments, animator=animator)
        assert status == 2 and sentence in said and 'Traceback' not in said, said
