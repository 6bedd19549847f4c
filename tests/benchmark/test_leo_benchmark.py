"""The evaluation of the LEO paper from one config: videos, records, a table, and resuming after an interruption."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import support.tiny_extractors  # noqa: F401  registers small feature extractors
from support.calling import call_tool
from support.tiny_runs import write_leo

import leokit
from leokit.benchmark import LEOBenchmark, Scenario
from leokit.benchmark.leo_benchmark import _start_code_record
from leokit.evaluation import load_records
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import RunInfo
from leokit.utils import UserError, load_config
from leokit.video.readers import AutoReader
from support.tiny_models import SIZE

ROOT = Path(__file__).resolve().parents[2]
VIDEOS, SHORT, LONG, SPAN = 4, 9, 20, 6
CONFIG = f'''
_base_ = ['{ROOT}/configs/_base_/benchmarks/leo.py', '{{folder}}/leo.py']
data_root = '{{folder}}/videos'
num_videos, num_frames, long_videos, long_frames, trials = {VIDEOS}, {SHORT}, 3, {LONG}, 2
protocol = long_protocol = '{{folder}}/protocol.py'
video_extractor = dict(_delete_=True, type='TinyImageFeatures')
content_extractor = dict(_delete_=True, type='TinyImageFeatures')
test_batch_size = 3
clip_format = 'npy'
'''
PROTOCOL = f'''
protocol = dict(name='tiny', clips=dict(length={SPAN}), frames=dict(resolution=16),
                sampling=dict(real='windows', fake='first'))
'''


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """A config with models and real videos."""
    folder = tmp_path_factory.mktemp('leo')
    write_leo(folder)
    (folder / 'videos').mkdir()
    for number in range(5):
        frames = np.random.default_rng(number).integers(0, 256, (12, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(folder / 'videos' / f'{number}.npy', frames)
    (folder / 'protocol.py').write_text(PROTOCOL)
    (folder / 'test.py').write_text(CONFIG.format(folder=folder))
    return folder / 'test.py'


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv('LEOKIT_STATISTICS', str(tmp_path_factory.mktemp('statistics')))


@pytest.fixture(scope='module')
def tested(config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('work')
    status, said = call_tool('test', config, '--work-dir', work_dir, '--out', work_dir / 'metrics.json')
    assert status == 0, said
    return work_dir, said


def test_every_scenario_is_generated_and_evaluated(tested):
    work_dir, said = tested
    metrics = json.loads((work_dir / 'metrics.json').read_text())
    for scenario, number, frames in (('unconditional', VIDEOS, SHORT), ('conditional', VIDEOS, SHORT),
                                     ('long', 3, LONG)):
        videos = sorted((work_dir / scenario).iterdir())
        assert len(videos) == number
        assert all(np.load(path).shape == (frames, SIZE, SIZE, 3) for path in videos)
        for metric in ('fvd-tiny_dt@6x1', 'kvd-tiny_dt@6x1', 'acd-tiny@6x1', 'motion_jitter', 'motion_dispersion'):
            assert metrics[f'{scenario}/{metric}'] is not None, (scenario, metric)
            assert f'| {metric} | ' in said
    assert 0 < metrics['unconditional/start_code_error'] and 'conditional/start_code_error' not in metrics
    assert metrics['long/fvd_over_time-tiny_dt@6x1'] > 0
    with AutoReader().open(work_dir / 'long.mp4') as video:
        assert len(video) == LONG and video.read([0]).shape == (1, SIZE, 3 * SIZE, 3)
    assert (work_dir / 'sheet.png').is_file() and '| fvd-tiny_dt@6x1 |' in (work_dir / 'table.md').read_text()


def test_records(tested):
    records = {(record.run.model.split()[1], record.metric): record
               for record in load_records(tested[0] / 'records.json')}
    short, late = records['unconditional', 'fvd-tiny_dt@6x1'], records['long', 'fvd_over_time-tiny_dt@6x1']
    assert short.score.std_of == 'trials' and len(short.score.values) == 2
    assert short.real.videos == 5 and short.fake.clips == VIDEOS and short.protocol['clips']['length'] == SPAN
    assert late.curve['x'] == [0, 6, 12] and len(late.curve['y']) == 3
    assert records['long', 'acd_over_time-tiny@6x1'].details['real_value'] > 0
    assert short.protocol['extractor'] == 'TinyImageFeatures'  # not that of the protocol
    assert 'extractor' not in records['unconditional', 'start_code_error'].protocol
    drift = records['long', 'motion_drift']
    assert drift.curve['x'] == [0, 6, 12] and drift.curve['y'][0] == 0 < drift.score.value
    assert records['unconditional', 'motion_dispersion'].curve is None
    assert ('conditional', 'motion_drift') not in records


def test_evaluate_gives_the_same_scores(tested, config, tmp_path):
    status, said = call_tool(
        'evaluate', '--real', config.with_name('videos'), '--fake', tested[0] / 'conditional', '--metrics', 'fvd',
        '--protocol', config.with_name('protocol.py'), '--protocol-options', f'sampling.num_clips={VIDEOS}',
        'sampling.trials=2', '--extractor', 'TinyImageFeatures', '--out', tmp_path / 'r.json', '--device', 'cpu')
    assert status == 0, said
    found = load_records(tmp_path / 'r.json')[0].score
    assert found.value == json.loads((tested[0] / 'metrics.json').read_text())['conditional/fvd-tiny_dt@6x1']


def test_existing_videos_are_reused(tested, config):
    work_dir, _ = tested
    complete, missing, without_codes = (work_dir / 'long' / f'long_0000{number}.npy' for number in range(3))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (complete, missing, without_codes)}
    missing.unlink()
    (work_dir / 'long_codes' / '00002.npz').unlink()
    status, said = call_tool('test', config, '--work-dir', work_dir)
    assert status == 0, said
    assert complete.stat().st_mtime_ns == before[complete][0]
    for path in (missing, without_codes):  # the same videos, in another batch
        difference = np.abs(np.load(path).astype(int) - np.frombuffer(before[path][1], np.uint8, offset=128).reshape(
            LONG, SIZE, SIZE, 3))
        assert difference.max() <= 1


def test_videos_of_leokit_0_1_are_accepted(tested, config):
    work_dir, _ = tested
    for file in (work_dir / f'{name}.json' for name in ('unconditional', 'conditional', 'long')):
        settings = json.loads(file.read_text())
        strategy = settings.pop('long_video')
        settings['continuation'] = dict(type=strategy['type'], codes=strategy['context_frames'], pull=strategy['pull'],
                                        bound=strategy['bound'])
        settings['first_frames'] = settings['first_frames'].replace('generated', 'drawn')
        for part in settings.values():
            if isinstance(part, dict) and 'model' in part:
                part['model'] = str(part['model']).replace('prediction_type', 'prediction').replace(
                    'num_inference_steps', 'num_steps')
        file.write_text(json.dumps(settings))
    status, said = call_tool('test', config, '--work-dir', work_dir)
    assert status == 0, said


def test_videos_of_other_settings_are_refused(tested, config):
    status, said = call_tool('test', config, '--work-dir', tested[0], '--cfg-options', 'test_seed=1')
    assert status == 2 and 'holds videos of other settings (seed=0, not 1)' in said
    status, said = call_tool('test', config, '--work-dir', tested[0], '--cfg-options', 'long_video.context_frames=3')
    assert status == 2 and '(other long_video)' in said


@pytest.mark.parametrize('options, sentence', [
    (['num_frames=5'], 'the scenario unconditional has 4 videos of 5 frames, but its protocol tiny'),
    (['test_cfg.scenarios.long.frames=3'], 'the scenario long has no key frames'),
    (['test_cfg.scenarios.conditional.first_frames=none'], 'must be one of generated, real'),
    (['test_cfg.batch_size=0'], 'test_cfg.batch_size must be 1 or more'),
    (['clip_format=avi'], "the clip format 'avi' is unknown"),
    (['start_frame=None'], 'needs a motion_diffusion, a start_code and a start_frame'),
    (['test_cfg.steps=3'], 'steps'),
    (['data_root=/nowhere'], '/nowhere does not exist'),
    (['long_frames=100000000000'], 'need about')])
def test_mistakes_are_found_before_any_generation(config, tmp_path, options, sentence):
    status, said = call_tool('test', config, '--work-dir', tmp_path, '--cfg-options', *options)
    assert status == 2 and sentence in said, said
    assert not list(tmp_path.rglob('*.npy'))


def test_the_checkpoint_argument_fits_the_config(config):
    status, said = call_tool('test', config, 'some.pth')
    assert status == 2 and 'names the checkpoints of several models' in said
    status, said = call_tool('test', ROOT / 'configs' / 'lia' / 'lia_synthetic_64.py')
    assert status == 2 and 'its checkpoint is needed' in said


def test_a_scenario_can_be_skipped(config, tmp_path):
    settings = load_config(config).test_cfg
    settings.scenarios.update(long=None, unconditional=None)
    test = LEOBenchmark(leokit.load(config, cfg_options=dict(start_frame=None)), tmp_path,
                   **{key: value for key, value in settings.items() if key != 'type'})
    assert [scenario.name for scenario in test.scenarios] == ['conditional']
    assert all(key.startswith('conditional/') for key in test.run())


def test_without_distances_no_video_extractor_is_built(config, tmp_path):
    settings = load_config(config).test_cfg
    settings.scenarios.update(long=None, conditional=None)
    settings.scenarios.unconditional.metrics = ['acd']
    settings.extractors.video = dict(type='NoSuchFeatures')
    benchmark = LEOBenchmark(leokit.load(config), tmp_path,
                             **{key: value for key, value in settings.items() if key != 'type'})
    jobs = benchmark._plan(benchmark.scenarios[0]).jobs
    assert [job.metric.name for job in jobs] == ['acd']


def test_a_scenario_needs_its_keys():
    with pytest.raises(UserError, match='the scenario a needs the key num_frames'):
        Scenario.from_dict('a', dict(num_videos=3, protocol='quick'))


def test_the_start_code_error_is_relative_to_the_codes_of_other_samples():
    """By hand: distances 5 and 0 from the own target, 10 and 5 from the other one."""
    target, measured = torch.tensor([[0.0, 0.0], [6.0, 8.0]]), torch.tensor([[3.0, 4.0], [6.0, 8.0]])
    record = _start_code_record(target, measured, Protocol.from_dict(dict(name='t')), RunInfo.now('a model'))
    assert record.details == dict(distance=2.5, chance=7.5, videos=2)
    assert record.score.value == pytest.approx(1 / 3)


def test_identities_of_training_are_named(config, tmp_path, monkeypatch):
    import leokit.benchmark.leo_benchmark as module
    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, **options: said.append(text))
    leo = leokit.load(load_config(config))
    root = str((config.parent / 'videos').resolve())
    for model, identities in ((leo.animator, ['1', '3', 'other']), (leo.motion_diffusion, ['other'])):
        model.training_data = dict(train=dict(data_root=root, segment=[0.0, 1.0], identities=identities))
    settings = load_config(config).test_cfg
    settings.pop('type')
    benchmark = LEOBenchmark(leo, tmp_path, **settings)
    benchmark._check_training_data(benchmark._real_set(Scenario.from_dict('a', settings.scenarios['long']).protocol))
    assert len(said) == 1 and 'Animator' in said[0] and '2 identities (1, 3)' in said[0]


def test_the_name_of_a_scenario_is_its_key_in_the_config():
    with pytest.raises(UserError, match='the scenario long has no key name; known keys are first_frames, metrics'):
        Scenario.from_dict('long', dict(name='other', num_videos=2, num_frames=9, protocol='quick'))


@pytest.mark.parametrize('videos, frames', [(1, 16), (2, 15)])
def test_a_scenario_has_two_videos_as_long_as_a_clip(videos, frames):
    values = dict(num_videos=2, num_frames=16, protocol='quick')
    assert Scenario.from_dict('short', dict(values)).num_videos == 2
    with pytest.raises(UserError, match='needs at least 2 videos of at least 16 frames'):
        Scenario.from_dict('short', dict(values, num_videos=videos, num_frames=frames))
