"""``tools/analysis_tools/expressions.py``: figures of mouths and eyes, and a sheet."""

import json

import cv2
import numpy as np
import pytest
import tiny_extractors  # noqa: F401  registers TinyLandmarks
from tools.calling import call_tool
from tools.tiny_runs import ANIMATOR_CONFIG

from pipelines.tiny_models import SIZE

TOOL = 'analysis_tools/expressions'


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
    return call_tool(TOOL, config, models['animator'], '--device', 'cpu', '--landmarks', 'TinyLandmarks', *arguments)


def test_figures_and_sheet(config, models):
    folder = config.parent
    status, said = measure(config, models, '--out', folder / 'a.json', '--sheet', folder / 'a.png')
    assert status == 0 and '| mouth |' in said
    values = json.loads((folder / 'a.json').read_text())
    assert values['mouth']['pairs'] == 4 and f'{values["mouth"]["driven"]:.2f}' in said
    assert cv2.imread(str(folder / 'a.png')).shape[0] > SIZE


@pytest.mark.parametrize('arguments, sentence', [
    (('--data', 'test'), 'no test_dataloader'), (('--landmarks', 'TinyLandmark'), "did you mean 'TinyLandmarks'"),
    (('--landmarks', 'TinyImageFeatures'), 'gives no 68 landmarks'),
    (('--pairs-per-video', '0'), 'pairs-per-video')])
def test_mistakes_are_one_sentence(config, models, arguments, sentence):
    status, said = measure(config, models, *arguments)
    assert status == 2 and sentence in said and 'Traceback' not in said
