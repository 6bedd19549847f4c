"""``leokit analyze expressions``: figures of mouths and eyes, and a sheet."""

import json

import cv2
import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers TinyLandmarks
from support.calling import call_command
from support.tiny_runs import ANIMATOR_CONFIG

from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces
from support.tiny_models import SIZE

COMMAND = 'analyze expressions'


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    (tmp_path / 'videos').mkdir()
    shades = np.array([20, 90, 160, 220], dtype=np.uint8)
    np.save(tmp_path / 'videos' / 'a.npy', np.broadcast_to(shades[:, None, None, None], (4, SIZE, SIZE, 3)))
    dataset = f"dict(type='FramePairDataset', data_root={str(tmp_path / 'videos')!r}, size={SIZE})"
    (tmp_path / 'config.py').write_text(ANIMATOR_CONFIG + f'val_dataloader = dict(dataset={dataset})\n')
    return tmp_path / 'config.py'


def measure(config, models, *arguments):
    return call_command(COMMAND, config, models['animator'], '--device', 'cpu', '--extractor', 'TinyLandmarks',
                        *arguments)


def test_figures_and_sheet(config, models):
    folder = config.parent
    status, said = measure(config, models, '--out', folder / 'a.json', '--sheet', folder / 'a.png')
    assert status == 0 and '| mouth |' in said
    values = json.loads((folder / 'a.json').read_text())
    assert values['mouth']['pairs'] == 4 and f'{values["mouth"]["driven"]:.2f}' in said
    assert cv2.imread(str(folder / 'a.png')).shape[0] > SIZE


def test_rendered_faces_change_one_thing_at_a_time(config, models):
    folder = config.parent
    plan = SyntheticFacesPlan(num_identities=2, clips_per_identity=1, num_frames=4, size=SIZE, train=1, val=0, test=0)
    write_synthetic_faces(folder / 'people', plan, workers=0, show_progress=False)
    options = '--ground-truth', folder / 'people', '--pairs-per-video', '2', '--cfg-options'
    status, said = measure(config, models, '--out', folder / 'a.json', '--sheet', folder / 'a.png', *options,
                           f'val_dataloader.dataset.data_root={folder / "people"}')
    assert status == 0 and '| blink |' in said
    values = json.loads((folder / 'a.json').read_text())
    assert list(values)[:2] == ['mouth_open', 'smile'] and values['mouth_open']['pairs'] == 8
    status, said = measure(config, models, *options, 'default_scope=leokit')
    assert status == 2 and "there is no ground truth for the video 'a'" in said


@pytest.mark.parametrize('arguments, sentence', [
    (('--split', 'test'), 'no test_dataloader'), (('--extractor', 'TinyLandmark'), "did you mean 'TinyLandmarks'"),
    (('--extractor', 'TinyImageFeatures'), 'does not extract 68 landmarks'),
    (('--pairs-per-video', '0'), 'pairs-per-video'), (('--ground-truth', 'nowhere'), 'leokit synthetic-faces')])
def test_mistakes_are_one_sentence(config, models, arguments, sentence):
    status, said = measure(config, models, *arguments)
    assert status == 2 and sentence in said and 'Traceback' not in said
