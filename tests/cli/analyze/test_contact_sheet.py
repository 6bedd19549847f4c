"""``leokit analyze contact-sheet``: one PNG of pairs, transfers and generated videos."""

import cv2
import numpy as np
import pytest
from support.calling import call_command
from support.tiny_runs import ANIMATOR_CONFIG

from leokit.visualization import save_png
from support.tiny_models import SIZE

COMMAND = 'analyze contact-sheet'


@pytest.fixture
def files(models, tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    (tmp_path / 'videos').mkdir()
    for seed in range(2):
        frames = np.random.default_rng(seed).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(tmp_path / 'videos' / f'{seed}.npy', frames)
    save_png(tmp_path / 'a.png', frames[0])
    dataset = f"dict(type='FramePairDataset', data_root={str(tmp_path / 'videos')!r}, size={SIZE})"
    (tmp_path / 'config.py').write_text(ANIMATOR_CONFIG + f'test_dataloader = dict(dataset={dataset})\n')
    return tmp_path


def draw(files, models, *arguments):
    return call_command(COMMAND, files / 'config.py', models['animator'], '--device', 'cpu', '--out',
                        files / 'sheet.png', *arguments)


def test_all_parts_on_one_sheet(files, models):
    assert draw(files, models)[0] == 0
    pairs = cv2.imread(str(files / 'sheet.png'))
    status, said = draw(files, models, '--source', files / 'a.png', '--driving', files / 'videos' / '0.npy',
                        '--videos', files / 'videos')
    assert status == 0 and 'wrote' in said
    sheet = cv2.imread(str(files / 'sheet.png'))
    assert sheet.shape[0] > 2 * pairs.shape[0] and np.array_equal(sheet[:len(pairs), :pairs.shape[1]], pairs)


@pytest.mark.parametrize('arguments, sentence', [
    (('--source', 'a.png'), 'go together'), (('--driving', 'a.mp4'), 'go together'),
    (('--split', 'val'), 'no val_dataloader'), (('--videos', 'nowhere'), 'nowhere')])
def test_mistakes_are_one_sentence(files, models, arguments, sentence):
    status, said = draw(files, models, *arguments)
    assert status == 2 and sentence in said and 'Traceback' not in said
    assert not (files / 'sheet.png').exists()
