"""Statistics of a dataset whose numbers are known."""

import json

import cv2
import numpy as np
import pytest
from support.calling import run_command

from leokit.data_tools.statistics import data_statistics, distribution
from leokit.datasets import CodeCacheWriter


def test_statistics_are_those_of_the_files(data):
    result = data_statistics(data)
    assert (result['videos'], result['identities'], result['frames']) == (4, 3, 100)
    assert result['hours'] == pytest.approx(100 / 25 / 3600)
    assert result['sizes'] == {'80x32': 3, '96x32': 1} and result['frame_rates'] == {'25': 4}
    assert result['splits']['train']['frames'] == 30 and result['splits']['test']['identities'] == 2
    seconds = result['length_seconds']
    assert [seconds[key] for key in ('min', 'median', 'mean', 'max')] == pytest.approx([0.4, 0.8, 1.0, 2.0])
    assert sum(seconds['counts']) == 4 and len(seconds['edges']) == len(seconds['counts']) + 1
    assert result['videos_per_identity']['counts'] == [2, 1]


def test_histograms_of_whole_numbers_have_a_bin_for_each():
    assert distribution([3, 5, 5])['edges'] == [2.5, 3.5, 4.5, 5.5]
    assert distribution([3, 5, 5])['counts'] == [1, 0, 2]
    assert distribution([7, 7])['counts'] == [2]


def test_motion_is_the_path_of_the_codes_per_second(data, tmp_path):
    steps = np.zeros((10, 2), np.float32)
    steps[::2, 0] = 2.0  # between 0 and 2: standard deviation 1, path 2 a frame, 50 a second
    animator = dict(weights_hash='ab' * 32, config='', checkpoint='')
    with CodeCacheWriter(tmp_path / 'codes', 2, animator=animator) as cache:
        cache.add('a', steps, identity='p1', split='train', fps=25.0)
    assert data_statistics(data, codes=tmp_path / 'codes')['motion']['mean'] == pytest.approx(50, rel=1e-6)


def test_stats_command_writes_json_and_a_picture(data, tmp_path, capsys):
    run_command('data stats', '--videos', data, '--out', tmp_path / 'o.json', '--plot', tmp_path / 'o.png')
    assert 'all         4           3     100' in capsys.readouterr().out
    assert json.loads((tmp_path / 'o.json').read_text())['frames'] == 100
    assert cv2.imread(str(tmp_path / 'o.png')).shape[1] == 900  # 6 inches at 150 dots
