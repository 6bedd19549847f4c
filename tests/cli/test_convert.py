"""``leokit convert``: what it writes is a model that works."""

from pathlib import Path

import pytest
import torch
from models.lia_reference import reference_state
from support.calling import call_command

import leokit
from leokit.models import Animator
from leokit.utils import UserError

OPTIONS = dict(size=32, appearance_dim=16, motion_dim=4, max_channels=8)
CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'lia'
COMMAND = 'convert'


@pytest.fixture
def converted(tmp_path):
    torch.save(dict(gen=reference_state(Animator(32, 16, motion_dim=4, max_channels=8))), tmp_path / 'vox.pt')
    status, said = call_command(COMMAND, tmp_path / 'vox.pt', '--out', tmp_path / 'animator.pth')
    assert status in (0, None) and 'size 32, motion_dim 4' in said
    return tmp_path / 'animator.pth'


def test_a_converted_checkpoint_animates_by_a_config(converted):
    options = {**OPTIONS, 'model.training': None}
    animator = leokit.load(CONFIGS / 'lia_celebv_256.py', converted, cfg_options=options)
    encoding = animator.encode(torch.rand(1, 3, 32, 32) * 2 - 1)
    frames = animator.animate(encoding, torch.randn(1, 3, 4)).frames
    assert frames.shape == (1, 3, 3, 32, 32) and frames.isfinite().all() and not torch.equal(frames[:, 0], frames[:, 1])


def test_the_grid_of_the_config_must_be_the_references(converted):
    options = {**OPTIONS, 'model.training': None, 'channel_multiplier': 1}
    with pytest.raises(UserError, match="trained with grid='lia', but the config builds a model with grid='exact'"):
        leokit.load(CONFIGS / 'lia_synthetic_64.py', converted, cfg_options=options)
    leokit.load(CONFIGS / 'lia_synthetic_64.py', converted, cfg_options={**options, 'grid': 'lia'})


def test_other_sizes_are_reported(converted):
    with pytest.raises(UserError, match='its model has size=32, appearance_dim=16, motion_dim=4'):
        options = {**OPTIONS, 'size': 64, 'model.training': None}
        leokit.load(CONFIGS / 'lia_celebv_256.py', converted, cfg_options=options)


@pytest.mark.parametrize('name, sentence', [
    ('missing.pt', 'missing.pt does not exist'), ('foreign.pt', 'holds neither a generator')])
def test_bad_files_are_one_sentence(tmp_path, name, sentence):
    torch.save(dict(weights=torch.zeros(2)), tmp_path / 'foreign.pt')
    status, said = call_command(COMMAND, tmp_path / name, '--out', tmp_path / 'out.pth')
    assert status == 2 and sentence in said and 'Traceback' not in said
    assert not (tmp_path / 'out.pth').exists()
