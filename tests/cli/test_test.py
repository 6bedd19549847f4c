import json

import pytest
from engine.toys import toy_config, train, with_validation
from support.calling import call_command


@pytest.fixture
def config(tmp_path):
    parts = with_validation()
    made = toy_config(tmp_path / 'run', **{key.replace('val', 'test', 1): value for key, value in parts.items()})
    made.train_cfg.max_iters = 2
    train(made)
    path = tmp_path / 'toy.py'
    path.write_text(made.pretty_text)
    return path


def test_metrics_are_written(config, tmp_path):
    status, said = call_command('test', config, tmp_path / 'run' / 'iter_2.pth', '--work-dir', tmp_path / 'out',
                             '--out', tmp_path / 'results.json', '--cfg-options', 'test_evaluator.scale=2.0')
    assert status == 0, said
    doubled = json.loads((tmp_path / 'results.json').read_text())['toy/error']
    # a work dir stands for its newest checkpoint
    assert call_command('test', config, tmp_path / 'run', '--out', tmp_path / 'results.json')[0] == 0
    assert doubled == pytest.approx(2 * json.loads((tmp_path / 'results.json').read_text())['toy/error'])


def test_the_checkpoint_must_fit_and_exist(config, tmp_path):
    status, said = call_command('test', config, tmp_path / 'none.pth')
    assert status == 2 and 'none.pth does not exist' in said
    status, said = call_command('test', config, tmp_path / 'run' / 'iter_2.pth', '--cfg-options', 'model.width=4')
    assert status == 2 and 'does not fit the model' in said


def test_a_config_without_test_data_is_named(tmp_path):
    made = toy_config(tmp_path / 'run')
    train(made)
    (tmp_path / 'toy.py').write_text(made.pretty_text)
    status, said = call_command('test', tmp_path / 'toy.py', tmp_path / 'run' / 'iter_12.pth')
    assert status == 2 and 'there is nothing to test' in said
