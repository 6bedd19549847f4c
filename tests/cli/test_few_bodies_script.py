"""``tools/analysis_tools/few_bodies.sh`` calls leokit with options and keys that exist, in the right order."""

import hashlib
import json
from pathlib import Path

import pytest
from support.calling import TOOLS
from support.script_calls import recorded_calls

from leokit.cli.commands import build_parser
from leokit.utils import load_config

TRAININGS = dict(warp='lia_few_bodies_128', inpaint='lia_few_bodies_128_inpaint', motion='lmdm_few_bodies',
                 start_code='start_code_few_bodies', start_frame='start_frame_few_bodies')


@pytest.fixture
def calls(tmp_path):
    people = [*(f'person_{number}' for number in range(11)), 'Smith, J. "P"']
    rows = [dict(file=f'{number}.mp4', identity=people[number % 12]) for number in range(15)]
    (tmp_path / 'bodies.json').write_text(json.dumps(rows))
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'frames.json').write_text(json.dumps(rows[:11]))  # as selected: not all of the people

    def run(*steps, manifest='bodies.json', **environment):
        done, commands = recorded_calls(TOOLS / 'analysis_tools' / 'few_bodies.sh', tmp_path, tmp_path / manifest,
                                        tmp_path / 'out', *steps, **environment)
        return done, [build_parser().parse_args(command[2:]) for command in commands]
    return run


def trainings(commands):
    return {Path(args.work_dir).name: args for args in commands if hasattr(args, 'resume')}


def test_every_model_is_trained_on_those_before(calls, tmp_path):
    done, commands = calls(ITERATIONS='30 60 10 20 40', HELD_OUT="['person_1','Smith, J. \"P\"']")
    assert done.returncode == 0, done.stderr
    phases = trainings(commands)
    assert {name: args.config for name, args in phases.items()} == TRAININGS
    assert all(args.compile and args.resume for args in phases.values())
    configs = {name: load_config(args.config, args.cfg_options) for name, args in phases.items()}
    assert [config.max_iters for config in configs.values()] == [30, 60, 10, 20, 40]
    assert [config.held_out for config in configs.values()] == [['person_1', 'Smith, J. "P"']] * 3 + [['person_1']] * 2
    out, manifest = tmp_path / 'out', str(tmp_path / 'bodies.json')
    assert [config.data_root for config in configs.values()] == [manifest] * 3 + [str(out / 'frames.json')] * 2
    assert configs['inpaint'].load_from == str(out / 'warp')
    assert (configs['inpaint'].perceptual_begin, configs['inpaint'].perceptual_ramp) == (40, 52)
    for name in ('motion', 'start_code', 'start_frame'):
        assert configs[name].animator.checkpoint == str(out / 'inpaint')
        assert Path(configs[name].animator.config) == out / 'inpaint' / 'lia_few_bodies_128_inpaint.py'
        assert configs[name].codes_dir == str(out / 'codes')


def test_models_are_tested_and_continue_what_leo_was_given(calls, tmp_path):
    done, commands = calls(HELD_OUT="['person_1']")
    out = tmp_path / 'out'
    select, generate = commands[0], commands[-1]  # a manifest without LEO's clips is refused before any training
    assert {'generated_by=LEO', 'first_frame=real'} < set(select.where) and generate.videos == str(select.out)
    assert (generate.config, generate.checkpoint) == (str(out / 'motion' / 'lmdm_few_bodies.py'), str(out / 'motion'))
    assert generate.animator_checkpoint == str(out / 'inpaint') and generate.num_frames / 30 >= 64 / 15
    leo = next(args for args in commands if getattr(args, 'config', '') == 'leo_few_bodies')
    config = load_config(leo.config, leo.cfg_options)
    checkpoints = [config[part].checkpoint for part in ('animator', 'motion_diffusion', 'start_code', 'start_frame')]
    assert checkpoints == [str(out / name) for name in ('inpaint', 'motion', 'start_code', 'start_frame')]
    assert config.start_code.config == str(out / 'start_code' / 'start_code_few_bodies.py')
    assert config.test_cfg.scenarios.unconditional.metrics == ['acd']
    assert config.test_filters == dict(exclude_identities=['person_1'])
    motion = next(args for args in commands if str(getattr(args, 'out', '')) == str(out / 'motion.json'))
    evaluated = load_config(motion.config, motion.cfg_options)
    assert evaluated.test_cfg.motion == 'generated' and evaluated.test_evaluator[-1].type == 'AverageContentDistance'
    assert evaluated.test_evaluator[-1].extractor.type == 'ColorStatistics'


def test_ten_people_are_held_out_by_the_hash_of_their_names(calls):
    done, commands = calls('codes', 'motion')
    assert done.returncode == 0, done.stderr
    motion = trainings(commands)['motion']
    held_out = load_config(motion.config, motion.cfg_options).held_out
    people = [*(f'person_{number}' for number in range(11)), 'Smith, J. "P"']
    dropped = sorted(people, key=lambda name: hashlib.sha1(name.encode()).digest())[10:]
    assert len(held_out) == 10 and set(held_out) == set(people) - set(dropped)


def test_people_without_clips_of_the_frame_rate_are_refused_before_anything_is_trained(calls):
    done, commands = calls(HELD_OUT="['Smith, J. \"P\"']")
    assert done.returncode == 2 and 'none of HELD_OUT [' in done.stderr and '15 frames per second' in done.stderr
    assert not trainings(commands)


def test_variables_choose_options(calls, tmp_path):
    (tmp_path / 'leo.json').write_text('[]')
    _, (warp, inpaint) = calls('animator', TRAIN='', SETTINGS='batch_size=8 num_workers=2')
    assert not warp.compile
    assert {load_config(args.config, args.cfg_options).batch_size for args in (warp, inpaint)} == {8}
    _, (train, test) = calls('motion', MOTION_SETTINGS='sequences_per_batch=16')
    assert {load_config(args.config, args.cfg_options).sequences_per_batch for args in (train, test)} == {16}
    _, (select, _) = calls('continue', LEO_CLIPS=str(tmp_path / 'leo.json'))
    assert select.videos == str(tmp_path / 'leo.json')


@pytest.mark.parametrize('steps, options, named', [
    (('heads',), {}, 'the step is heads'), (('animator test',), {}, 'the step is animator test'),
    ((), dict(ITERATIONS='1 2 3'), 'needs 5 numbers'), ((), dict(ITERATIONS='1 2 3 4 5k'), 'got 5k'),
    ((), dict(HELD_OUT='A'), 'HELD_OUT must be'), ((), dict(HELD_OUT=''), 'HELD_OUT must be'),
    ((), dict(LEO_CLIPS='none.json'), 'none.json does not exist'),
    ((), dict(manifest='other.json'), 'other.json does not exist')])
def test_mistakes_are_refused_before_anything_is_run(calls, steps, options, named):
    done, commands = calls(*steps, **options)
    assert done.returncode == 2 and not commands and named in done.stderr
