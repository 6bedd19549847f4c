"""``leokit analyze long-video``: long motion by several strategies."""

import json
from pathlib import Path

import pytest
from support.calling import call_command
from support.code_caches import MOTION_DIM, write_code_cache

import leokit
from leokit.long_video import History
from leokit.registry import MODELS
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import save_checkpoint

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'leo' / 'lmdm_synthetic.py'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A model of random weights, and the options that make the config's model like it."""
    folder = tmp_path_factory.mktemp('trained')
    options = {'codes_dir': str(write_code_cache(folder / 'codes')), 'motion_dim': MOTION_DIM, 'num_frames': 10,
               'model.backbone.channels': (8,), 'model.backbone.attention_levels': (), 'model.backbone.num_blocks': 1,
               'model.backbone.embedding_dim': 8, 'model.backbone.head_dim': 8, 'model.sampler.num_inference_steps': 2}
    model = MODELS.build(load_config(CONFIG, dict(options)).model)
    model.normalizer.set_statistics([0.0] * MOTION_DIM, [1.0] * MOTION_DIM)
    save_checkpoint(dict(meta={}, state_dict=model.state_dict()), folder / 'model.pth')
    return folder / 'model.pth', options


def arguments(trained, *more):
    checkpoint, options = trained
    return ['analyze long-video', CONFIG, checkpoint, *more, '--num-sequences', 3, '--device', 'cpu',
            '--cfg-options', *(f'{key}={value}'.replace(' ', '') for key, value in options.items())]


def test_a_table_with_a_row_for_every_strategy(trained, tmp_path):
    history, overlap = 'History:context_frames=3,pull=0.5', 'Overlap:overlap=3,ramp=linear'
    status, said = call_command(*arguments(trained, '--num-frames', 60, '--out', tmp_path / 'figures.json',
                                           '--strategies', 'LastCode', history, overlap))
    assert status == 0, said
    assert '| LastCode | ' in said and f'| {history} | ' in said and 'real windows of 7 frames' in said
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert list(figures) == ['LastCode', history, overlap]
    assert all(len(figure['drift']) == 8 for figure in figures.values())


@pytest.mark.parametrize('num_frames, strategy, sentence', [
    (20, 'LastCode', '--num-frames 20 must be more than two windows of 10'),
    (60, 'History:context_frames', "the strategy 'History:context_frames' is not of the form"),
    (60, 'History:context_frame=3', "takes no argument 'context_frame'; did you mean 'context_frames'"),
    (60, 'Histori', "is not a type of the registry 'long_video'; did you mean 'History'"),
    (60, 'History:context_frames=7', 'leaves 3 new codes to a window of 10, too few')])
def test_mistakes_are_sentences(trained, num_frames, strategy, sentence):
    status, said = call_command(*arguments(trained, '--num-frames', num_frames, '--strategies', strategy))
    assert status == 2 and sentence in said


def test_the_config_sets_the_strategy(trained):
    checkpoint, options = trained
    chosen = {**options, 'long_video': dict(_delete_=True, type='History', context_frames=3)}
    assert isinstance(leokit.load(CONFIG, checkpoint, cfg_options=chosen).long_video, History)
    wrong = {**options, 'long_video': dict(_delete_=True, type='Histori')}
    with pytest.raises(UserError, match="'Histori'"):
        leokit.load(CONFIG, checkpoint, cfg_options=wrong)


def test_segments_are_no_longer_than_the_longest_real_video(trained, tmp_path):
    """Eight, or more of a longer sequence: the videos have 24 frames."""
    for num_frames, segments in ((192, 8), (193, 9), (240, 10)):
        status, said = call_command(*arguments(trained, '--num-frames', num_frames, '--out', tmp_path / 'figures.json',
                                               '--strategies', 'LastCode'))
        assert status == 0, said
        assert len(json.loads((tmp_path / 'figures.json').read_text())['LastCode']['drift']) == segments


def test_a_model_without_its_training_data_starts_from_a_code_cache(trained, tmp_path):
    checkpoint, options = trained
    config = load_config(CONFIG, dict(options))
    config.pop('train_dataloader')
    config.dump(tmp_path / 'alone.py')
    command = ['analyze long-video', tmp_path / 'alone.py', checkpoint, '--num-frames', 60, '--num-sequences', 3,
               '--device', 'cpu', '--strategies', 'LastCode', '--out', tmp_path / 'figures.json']
    status, said = call_command(*command)
    assert status == 2 and 'or a code cache by --codes' in said
    status, said = call_command(*command, '--codes', options['codes_dir'])
    assert status == 0, said
    cells = said.rpartition('| LastCode | ')[2].split(' | ')
    dispersion = json.loads((tmp_path / 'figures.json').read_text())['LastCode']['dispersion']
    assert cells[3:5] == [f'{sum(dispersion) / 8:.2f}', f'{min(dispersion):.2f}']
    status, said = call_command(*command, '--codes', options['codes_dir'], '--split', 'unheard')
    assert status == 2 and 'unheard' in said
