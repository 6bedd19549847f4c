"""Old names keep working, with one warning that names the new one."""

import inspect
import json
import warnings

import pytest
from mmengine.config import Config

import leokit.registry
from leokit import deprecation
from leokit.benchmark import Scenario
from leokit.datasets import DeterministicSampler
from leokit.deprecation import upgrade_component, upgrade_config, upgrade_facts
from leokit.engine import load_weights
from leokit.evaluation import Protocol, ResultRecord, Score
from leokit.long_video import Overlap
from leokit.models import StartCodeDiffusion
from leokit.registry import DATA_SAMPLERS, METRICS, MODELS, NOISE_SCHEDULERS, SAMPLERS, VIDEO_READERS
from leokit.studies.runs import Run
from leokit.studies.study import Metric, Variant
from leokit.utils import UserError, load_config, resolve_references
from leokit.video.readers import ArrayReader


def test_current_names_pass_untouched():
    config = dict(model=dict(type='Animator', parts=[dict(type='LIAEncoder', size=64)]), name='$size', size=64)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert upgrade_config(config) == config
        assert upgrade_component(config['model']) is config['model']


def test_types_arguments_keys_and_references_are_replaced(monkeypatch):
    monkeypatch.setattr(deprecation, 'TYPES', {'Old': 'New', 'Special': dict(type='General', kinds=['a'])})
    monkeypatch.setattr(deprecation, 'ARGUMENTS', {'New': {'steps': 'num_steps'}})
    monkeypatch.setattr(deprecation, 'CONFIG_KEYS', {'rule': 'strategy'})
    config = dict(rule=dict(type='Old', steps=3), model=dict(rule='$rule', text='${rule}_x', parts=[
        dict(type='Old', steps=1), dict(type='Special', x=2)]))
    with pytest.warns(FutureWarning) as caught:
        upgraded = upgrade_config(config)
    assert upgraded == dict(strategy=dict(type='New', num_steps=3), model=dict(
        rule='$strategy', text='${strategy}_x',
        parts=[dict(type='New', num_steps=1), dict(type='General', kinds=['a'], x=2)]))
    assert any("'Old' was renamed to 'New'" in str(warning.message) for warning in caught)


def test_an_old_argument_overrides_the_new_one(monkeypatch):
    monkeypatch.setattr(deprecation, 'ARGUMENTS', {'New': {'steps': 'num_steps'}})
    with pytest.warns(FutureWarning, match="'steps' was renamed to 'num_steps'"):
        assert upgrade_component(dict(type='New', num_steps=50, steps=20)) == dict(type='New', num_steps=20)


def test_scoped_types_keep_their_scope():
    with pytest.warns(FutureWarning):
        assert upgrade_component(dict(type='leokit.DrawSampler'))['type'] == 'leokit.DeterministicSampler'


@pytest.mark.parametrize(('old', 'metrics'), [('FrechetVideoDistance', ('fvd',)), ('KernelVideoDistance', ('kvd',))])
def test_single_video_distances_are_video_distances_of_one_metric(old, metrics):
    with pytest.warns(FutureWarning, match='VideoDistances'):
        metric = METRICS.build(dict(type=old, extractor=dict(type='ColorStatistics')))
    assert type(metric).__name__ == 'VideoDistances' and metric.metrics == metrics


@pytest.mark.parametrize('kind', ['AverageContentDistance', 'VideoDistances'])
def test_metrics_that_remember_real_clips_cache_them(kind):
    with pytest.warns(FutureWarning, match="'remember_real' was renamed to 'cache_real'"):
        config = upgrade_component(dict(type=kind, remember_real=True))
    assert config == dict(type=kind, cache_real=True)


def test_registries_build_old_types():
    with pytest.warns(FutureWarning, match='DeterministicSampler'):
        sampler = DATA_SAMPLERS.build(dict(type='DrawSampler', dataset=list(range(4)), seed=0))
    assert isinstance(sampler, DeterministicSampler)
    with pytest.warns(FutureWarning):
        assert DATA_SAMPLERS.get('DrawSampler') is DeterministicSampler


def test_configs_are_upgraded_when_they_are_read():
    config = Config(dict(train_dataloader=dict(sampler=dict(type='DrawSampler'))))
    with pytest.warns(FutureWarning):
        assert resolve_references(config).train_dataloader.sampler.type == 'DeterministicSampler'


def test_protocols_of_old_records_load():
    old = Protocol.from_dict(dict(name='mine', frames=dict(aspect='centre_crop')))
    assert old == Protocol.from_dict(dict(name='mine', frames=dict(aspect='center_crop')))


@pytest.mark.parametrize('old', ['NpyReader', 'SampleArrayReader'])
def test_array_readers_of_old_configs(old):
    with pytest.warns(FutureWarning, match='ArrayReader'):
        assert isinstance(VIDEO_READERS.build(dict(type=old, fps=10)), ArrayReader)


def test_arguments_of_samplers_and_noise_schedulers():
    with pytest.warns(FutureWarning, match='num_inference_steps|timestep_spacing'):
        sampler = SAMPLERS.build(dict(type='DDIMSampler', num_steps=7, spacing='leading'))
    assert (sampler.num_inference_steps, sampler.timestep_spacing) == (7, 'leading')
    with pytest.warns(FutureWarning, match='num_train_timesteps'):
        assert NOISE_SCHEDULERS.build(dict(type='CosineNoiseScheduler', num_steps=9)).num_train_timesteps == 9


def test_new_argument_names_exist():
    types = {}
    for registry in vars(leokit.registry).values():
        if isinstance(registry, leokit.registry.Registry):
            registry.import_from_location()
            types.update(registry.module_dict)
    for name, renamed in deprecation.ARGUMENTS.items():
        accepted = inspect.signature(types[name]).parameters
        assert set(renamed.values()) <= set(accepted) and not set(renamed) & set(accepted), name


def test_conventions_of_old_checkpoints_are_compared():
    model = StartCodeDiffusion(2, backbone=dict(type='MLPDenoiser', dim=8, depth=1, embedding_dim=8))
    load_weights(model, model.state_dict(), source='it', meta=dict(conventions=dict(num_steps=1000)))
    with pytest.raises(UserError, match='num_train_timesteps=50'):
        load_weights(model, model.state_dict(), source='it', meta=dict(conventions=dict(num_steps=50)))
    with pytest.raises(UserError, match="prediction_type='v'"):
        load_weights(model, model.state_dict(), source='it', meta=dict(conventions=dict(prediction='v')))


def test_old_scenarios_of_a_benchmark_load():
    settings = dict(num_videos=4, num_frames=32, protocol='quick')
    with pytest.warns(FutureWarning) as caught:
        old = Scenario.from_dict('a', dict(settings, first_frames='drawn', measures=['fvd'], metrics=['kvd']))
    assert old == Scenario.from_dict('a', dict(settings, first_frames='generated', metrics=['fvd']))
    assert ["'measures' was renamed to 'metrics'" in str(warning.message) for warning in caught] == [True, False]


OLD_MOTION_CONFIG = '''
num_frames = 8
continuation = dict(type='Overlap', codes=3)
model = dict(type='MotionDiffusion', motion_dim=4, num_frames='$num_frames',
             backbone=dict(type='UNet1D', channels=(8,), num_blocks=1, attention_levels=(), embedding_dim=8,
                           head_dim=8))
'''


def test_continuation_is_the_long_video_strategy_of_the_model(tmp_path):
    (tmp_path / 'old.py').write_text(OLD_MOTION_CONFIG)
    with pytest.warns(FutureWarning, match="'continuation' was renamed to 'long_video'"):
        config = load_config(tmp_path / 'old.py')
    assert 'continuation' not in config and config.model.long_video == dict(type='Overlap', overlap=3)
    strategy = MODELS.build(config.model).long_video
    assert isinstance(strategy, Overlap) and strategy.context_frames == 3
    for option in ('continuation.codes', 'long_video.codes', 'long_video.overlap'):
        assert load_config(tmp_path / 'old.py', {option: 5}).model.long_video.overlap == 5
    with pytest.warns(FutureWarning):
        assert load_config(tmp_path / 'old.py', dict(continuation=None)).model.long_video is None


def test_an_old_key_overrides_an_inherited_new_one(tmp_path):
    base = OLD_MOTION_CONFIG.replace('continuation', 'long_video').replace('codes', 'overlap')
    (tmp_path / 'base.py').write_text(base)
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\ncontinuation = dict(codes=2)\n")
    with pytest.warns(FutureWarning):
        assert load_config(tmp_path / 'leaf.py').long_video == dict(type='Overlap', overlap=2)
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\ncontinuation = dict(type='LastCode', pull=0.5)\n")
    with pytest.warns(FutureWarning):
        assert load_config(tmp_path / 'leaf.py').model.long_video == dict(type='LastCode', pull=0.5)


def test_settings_of_old_generated_videos_are_those_of_new_ones():
    model = dict(type='MotionDiffusion', backbone=dict(type='UNet1D', channels=(8, 8)))
    old = dict(seed=0, first_frames='drawn', animator=dict(weights='cd', model='None'),
               continuation=dict(type='Overlap', codes=3, held_back=2, pull=0.0, bound=2.0, ramp='cosine'),
               motion_diffusion=dict(weights='ab', model=str(model)))
    assert upgrade_facts(old) == dict(
        seed=0, first_frames='generated', animator=dict(weights='cd', model={}),
        long_video=dict(type='Overlap', **vars(Overlap(3))),
        motion_diffusion=dict(weights='ab', model=json.loads(json.dumps(model))))


def test_metrics_of_old_records_and_studies_have_their_current_names(tmp_path):
    record = ResultRecord('motion_spread', Score(1.0), {}).to_dict()
    assert ResultRecord.from_dict(record).metric == 'motion_dispersion'
    assert Metric('motion/spread_ratio', target=1.0).key == 'motion/dispersion_ratio'
    (tmp_path / 'metrics.json').write_text(json.dumps({'codes/spread_ratio': 0.5, 'codes/frechet': 1.0}))
    run = Run(Variant('a', 'a.py'), 0, tmp_path, Config(dict()))
    assert run.scores() == {'codes/std_ratio': 0.5, 'codes/frechet': 1.0}


def test_motion_statistics_take_seams_as_window_boundaries():
    with pytest.warns(FutureWarning, match='window_boundaries'):
        metric = METRICS.build(dict(type='MotionStatistics', seams=[8]))
    assert metric.window_boundaries == [8]


@pytest.mark.parametrize('kind', ['FaceIdentity', 'FaceLandmarks'])
def test_face_extractors_take_side_as_resolution(kind):
    with pytest.warns(FutureWarning, match='resolution'):
        assert upgrade_component(dict(type=kind, side=200)) == dict(type=kind, resolution=200)


@pytest.mark.parametrize('kind', ['MotionDiffusion', 'StartCodeDiffusion', 'StartFrameDiffusion'])
def test_prediction_of_models(kind):
    with pytest.warns(FutureWarning, match="'prediction' was renamed to 'prediction_type'"):
        model = MODELS.build(dict(type=kind, prediction='x0', **({'size': 8} if kind == 'StartFrameDiffusion' else {})))
    assert model.diffusion.prediction_type == 'x0'
