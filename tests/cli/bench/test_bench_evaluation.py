"""``leokit bench evaluation`` at tiny size: the three rates, and our distance compared with scipy's."""

import re

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch
from support.calling import call_command

COMMAND = 'bench evaluation'


@pytest.fixture(autouse=True)
def threads():
    """The command chooses the number of threads; other tests keep theirs."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def bench(*flags):
    status, said = call_command(COMMAND, '--device', 'cpu', '--repeats', 2, *flags)
    assert status == 0, said
    return said


def test_the_distance_agrees_with_that_of_the_matrix_square_root():
    said = bench('--sections', 'distances', '--num-samples', 80, '--dim', 8)
    rows = re.findall(r'^  (.+?) +[\d.]+ ms +value (\S+)$', said, re.M)
    values = {name: float(value) for name, value in rows}
    ours, scipys = values['Fréchet'], values['Fréchet, scipy.linalg.sqrtm']
    assert ours == pytest.approx(scipys, rel=1e-6) and ours > 0
    assert values['singular'] == pytest.approx(values['singular, scipy.linalg.sqrtm'], rel=1e-2)
    assert 'sqrtm' not in bench('--sections', 'distances', '--num-samples', 80, '--dim', 8, '--skip-scipy')


def test_decoder_network_and_both_have_a_rate_and_the_share_is_of_the_slower(tmp_path):
    for seed in range(4):
        np.save(tmp_path / f'{seed}.npy', np.random.RandomState(seed).randint(0, 256, (20, 24, 24, 3), dtype=np.uint8))
    said = bench('--sections', 'pipeline', '--videos', tmp_path, '--num-clips', 4, '--extractor', 'TinyVideoFeatures')
    rates = {name: float(rate) for name, rate in re.findall(r'^  (\w+) +([\d.]+) clips/s', said, re.M)}
    share, low, high = map(float, re.search(r'two: ([\d.]+)  \[([\d.]+), ([\d.]+)\]', said).groups())
    assert set(rates) == {'decoder', 'network', 'pipeline'} and min(rates.values()) > 0
    assert 0 < low <= share <= high
    assert 'pipeline: 4 clips of 16 frames, tiny_video, cpu' in said


@pytest.mark.parametrize('flags, sentence', [
    (('--repeats', 0), '--repeats: 0 must be 1 or more'), (('--num-clips', 1), '--num-clips must be at least 2')])
def test_sizes_that_measure_nothing_are_refused_in_one_sentence(flags, sentence):
    status, said = call_command(COMMAND, '--device', 'cpu', *flags)
    assert status == 2 and sentence in said and 'Traceback' not in said
