import json

import pytest
from studies.stand_ins import STUDY, write_study

from leokit.studies import load_study, plan_runs
from leokit.utils import UserError


@pytest.fixture
def plan(tmp_path):
    path, _ = write_study(tmp_path)
    return lambda **options: plan_runs(load_study(path, options), tmp_path / 'work')


def test_every_run_has_its_config_and_folder(plan, tmp_path):
    runs = plan()
    assert [run.name for run in runs[:3]] == ['good, seed 0', 'bad one, seed 0', 'good, seed 1']
    assert runs[3].folder == tmp_path / 'work' / 'bad_one' / 'seed_1'
    config = runs[3].config
    assert (config.model.quality, config.test_cfg.scale, config.randomness.seed) == (3.0, 2.0, 1)
    assert not (tmp_path / 'work').exists()


def test_options_are_merged_anew_for_every_run(tmp_path):
    options = "'test_cfg': dict(_delete_=True, kind='new'), 'val_cfg': dict(_delete_=True), 'model.width': 2"
    study = STUDY.replace("'test_cfg.scale': 2.0", options)
    path, _ = write_study(tmp_path, study)
    runs = plan_runs(load_study(path, {'options.model.depth': 3, 'options.test_cfg.scale': 9}), tmp_path / 'work')
    for run in runs:
        assert run.config.test_cfg == dict(kind='new', scale=9) and run.config.val_cfg == {}
        assert run.config.model.width == 2 and run.config.model.depth == 3 and run.config.model.quality > 0


def test_states_are_derived_from_the_folder(plan):
    run = plan()[0]
    assert run.state == 'new' and run.scores() is None
    (run.folder / 'train').mkdir(parents=True)
    (run.folder / 'train' / 'iter_3.pth').touch()
    assert run.state == 'at iteration 3'
    run.checkpoint.touch()
    assert run.state == 'trained'
    run.metrics_file.write_text('{')
    assert run.state == 'done'
    with pytest.raises(UserError, match='metrics.json is damaged'):
        run.scores()


def test_another_training_is_refused_and_another_test_is_repeated(plan):
    run = plan()[0]
    run.prepare()
    (run.folder / 'train').mkdir()
    run.checkpoint.touch()
    run.metrics_file.write_text(json.dumps(dict(error=1)))
    plan()[0].prepare()
    assert run.state == 'done'
    plan(**{'options.test_cfg.scale': 5.0})[0].prepare()
    assert run.state == 'trained'
    with pytest.raises(UserError, match='seed_0 holds a run whose model differ'):
        plan(**{'options.model.quality': 9.0})[0].prepare()


def test_runs_of_configs_with_old_names_are_kept(tmp_path):
    path, _ = write_study(tmp_path, base="""
model = dict(quality=1.0)
train_cfg = dict(max_iters=4)
train_dataloader = dict(sampler=dict(type='DeterministicSampler'))
test_cfg = dict(scale=1.0)
""")
    run = plan_runs(load_study(path), tmp_path / 'work')[0]
    run.prepare()
    (run.folder / 'train').mkdir()
    run.checkpoint.touch()
    run.metrics_file.write_text('{}')
    run.config_file.write_text(run.config_file.read_text().replace('DeterministicSampler', 'DrawSampler'))
    with pytest.warns(FutureWarning, match='DeterministicSampler'):
        run.prepare()
    assert run.state == 'done' and 'DeterministicSampler' in run.config_file.read_text()


def test_a_config_without_max_iters_is_refused(tmp_path):
    path, _ = write_study(tmp_path, base='model = dict(quality=1.0)\ntest_cfg = dict(scale=1.0)')
    with pytest.raises(UserError, match='no train_cfg.max_iters'):
        plan_runs(load_study(path), tmp_path)
