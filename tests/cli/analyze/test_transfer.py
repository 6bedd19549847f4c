"""``leokit analyze transfer``: a table and a file from the ground truth alone."""

import json

import pytest
from support.calling import call_command
from support.tiny_runs import ANIMATOR_CONFIG

from leokit.synthetic_faces import SyntheticFacesPlan
from leokit.synthetic_faces.ground_truth import save_truth

COMMAND = 'analyze transfer'


@pytest.fixture
def config(tmp_path):
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=1, num_frames=4, size=32, train=1, val=0, test=0)
    save_truth(tmp_path, plan)
    (tmp_path / 'config.py').write_text(ANIMATOR_CONFIG)
    return tmp_path / 'config.py'


def test_a_table_and_a_file(config, models):
    folder = config.parent
    status, said = call_command(COMMAND, config, models['animator'], '--ground-truth', folder, '--num-frames', '4',
                                '--mode', 'absolute', '--device', 'cpu', '--out', folder / 'out.json')
    assert status == 0 and '3 videos of 4 frames, absolute transfer' in said, said
    found = json.loads((folder / 'out.json').read_text())
    value, error = found['cases']['other identity']['ratio_l1']
    assert found['mode'] == 'absolute' and f'{value:.4g} ± {error:.2g}' in said


@pytest.mark.parametrize('arguments, sentence', [
    (('--ground-truth', 'nowhere'), 'leokit synthetic-faces'), (('--num-frames', '5'), 'the videos have 4 frames'),
    (('--num-videos', '2', '--num-frames', '4'), 'at least 3')])
def test_mistakes_are_one_sentence(config, models, arguments, sentence):
    status, said = call_command(COMMAND, config, models['animator'], '--ground-truth', config.parent, *arguments,
                                '--device', 'cpu')
    assert status == 2 and sentence in said and 'Traceback' not in said
