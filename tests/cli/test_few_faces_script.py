"""``tools/analysis_tools/few_faces.sh`` calls leokit with options and keys that exist, in the right order."""

from pathlib import Path

import pytest
from support.calling import TOOLS
from support.script_calls import recorded_calls

from leokit.cli.commands import build_parser
from leokit.utils import load_config
from leokit.utils.config import read_config

HELD_OUT = "['A','B']"
TRAININGS = dict(heads='lia_few_faces_128_mixed_guided', expressions='lia_few_faces_128_mixed_regions',
                 crops='lia_few_faces_128_mixed_crops', motion='lmdm_few_faces')


@pytest.fixture
def calls(tmp_path):
    (tmp_path / 'faces.json').touch()

    def run(*steps, manifest='faces.json', held_out=HELD_OUT, **environment):
        done, commands = recorded_calls(TOOLS / 'analysis_tools' / 'few_faces.sh', tmp_path, tmp_path / manifest,
                                        tmp_path / 'out', held_out, *steps, **environment)
        return done, [build_parser().parse_args(command[2:]) for command in commands]
    return run


def trainings(commands):
    return {Path(args.work_dir).name: args for args in commands if hasattr(args, 'resume')}


def test_every_phase_starts_from_the_one_before(calls, tmp_path):
    done, commands = calls(ITERATIONS='10 20 30 40 50')
    assert done.returncode == 0, done.stderr
    phases = trainings(commands)
    assert {name: args.config for name, args in phases.items()} == TRAININGS
    assert all(args.compile and args.resume for args in phases.values())
    configs = {name: load_config(args.config, args.cfg_options) for name, args in phases.items()}
    assert [config.max_iters for config in configs.values()] == [10, 20, 30, 40]
    out = tmp_path / 'out'
    assert configs['expressions'].load_from == str(out / 'heads')
    assert configs['crops'].load_from == str(out / 'expressions')
    for name in ('heads', 'expressions', 'crops'):
        assert configs[name].held_out == ['A', 'B'] and configs[name].data_root == str(out / 'manifest.json')
        assert configs[name].model.flow_generator.inpaint and configs[name].elastic_strength == 0.02
    assert configs['heads'].model.training.losses[1].weight == 0
    assert (configs['expressions'].perceptual_begin, configs['expressions'].perceptual_ramp) == (11, 16)
    motion = configs['motion']
    assert motion.held_out == ['A', 'B'] and motion.animator.checkpoint == str(out / 'expressions')
    # videos without a category get it when the manifests are merged
    assert motion.data_root == str(out / 'manifest.json') and motion.code_filters.category == 'real'


def test_the_animator_is_that_of_the_last_phase(calls, tmp_path):
    (tmp_path / 'out' / 'crops').mkdir(parents=True)
    done, (test, extract, train, _) = calls('test', 'codes', 'motion')
    crops = str(tmp_path / 'out' / 'crops')
    assert (test.checkpoint, extract.checkpoint) == (crops, crops)
    assert train.cfg_options['animator.checkpoint'] == crops
    assert Path(test.config).name == 'lia_few_faces_128_mixed_crops.py'
    assert read_config('lia_few_faces_128_mixed_crops').model.training.face_crops.size == 64


def test_variables_choose_options(calls, tmp_path):
    _, (heads,) = calls('heads', TRAIN='', SETTINGS='batch_size=8 num_workers=2', REGIONS='mine.npz')
    config = load_config(heads.config, heads.cfg_options)
    assert not heads.compile and config.batch_size == 8
    assert config.regions == ['mine.npz', str(tmp_path / 'out' / 'synthetic_regions.npz')]
    _, data = calls('data', REGIONS='mine.npz', IDENTITIES='7')
    assert len(data) == 3 and data[0].num_identities == 7  # no landmarks are searched
    _, data = calls('data')
    assert len(data) == 4


def test_the_motion_continues_the_first_frames_of_leo(calls, tmp_path):
    (tmp_path / 'leo.json').touch()
    out = tmp_path / 'out'
    done, (select, generate) = calls('continue', LEO_CLIPS=str(tmp_path / 'leo.json'))
    assert done.returncode == 0, done.stderr
    assert select.videos == str(tmp_path / 'leo.json') and generate.videos == str(select.out)
    assert {'generated_by=LEO', 'first_frame=real'} < set(select.where)
    assert (generate.config, generate.checkpoint) == (str(out / 'motion' / 'lmdm_few_faces.py'), str(out / 'motion'))
    assert generate.animator_checkpoint == str(out / 'expressions') and generate.num_frames / 30 >= 64 / 15
    _, (select, *_) = calls('motion', 'continue')  # without such clips nothing is trained
    assert select.videos == str(tmp_path / 'faces.json') and str(select.out) == str(out / 'given.json')


def test_the_animator_grows(calls, tmp_path):
    out = tmp_path / 'out'
    (out / 'crops').mkdir(parents=True)
    done, commands = calls('large_data', 'large', ITERATIONS='10 20 30 40 50')
    assert done.returncode == 0, done.stderr
    faces, merge, regions, grow, train, test = commands
    assert faces.size == 256 and Path(regions.ground_truth) == Path(faces.out) != out / 'synthetic_faces'
    assert Path(grow.animator) == out / 'crops' and load_config(grow.config, grow.cfg_options).size == 256
    config = load_config(train.config, train.cfg_options)
    assert config.load_from == str(grow.out) and config.load_strict and config.max_iters == 50 and config.size == 256
    assert config.data_root == str(merge.out) and config.regions[-1] == str(regions.out)
    assert config.held_out == ['A', 'B'] and config.perceptual_ramp < 50
    assert (Path(test.config), Path(test.checkpoint)) == (out / 'large' / f'{train.config}.py', out / 'large')


@pytest.mark.parametrize('steps, options, named', [
    (('hands',), {}, 'the step is hands'), (('heads', 'crop'), {}, 'the step is crop'),
    (('heads crops',), {}, 'the step is heads crops'), ((), dict(ITERATIONS='1 2 3'), 'needs 5 numbers'),
    ((), dict(ITERATIONS='6000 12k 2000 10000 8000'), 'got 12k'),
    ((), dict(ITERATIONS='6000 0 2000 10000 8000'), 'got 0'),
    ((), dict(held_out='A'), 'HELD_OUT must be'), ((), dict(held_out='[]'), 'HELD_OUT must be'),
    (('continue',), dict(LEO_CLIPS='none.json'), 'none.json does not exist'),
    ((), dict(manifest='other.json'), 'other.json does not exist')])
def test_mistakes_are_refused_before_anything_is_run(calls, steps, options, named):
    done, commands = calls(*steps, **options)
    assert done.returncode == 2 and not commands and named in done.stderr
