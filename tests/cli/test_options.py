"""The shared options: their constants are those of the package, and each has one meaning."""

import argparse

import pytest

from leokit import evaluation, inference
from leokit.analysis.edit_coherence import MAX_FRAMES
from leokit.cli import (
    argument_types, evaluate, face_options, generate, motion_options, options, own_inputs, synthetic_faces)
from leokit.cli.commands import build_parser
from leokit.cli.data import regions
from leokit.croppers import CROP_PRESETS
from leokit.croppers.paste import FEATHER
from leokit.croppers.tracking import FOLLOW
from leokit.data_tools import face_region_detection
from leokit.engine import LAUNCHERS
from leokit.face_detectors.choice import DETECTORS
from leokit.inference.paste_back import MAX_SIDE
from leokit.synthetic_faces import BEHAVIORS, SyntheticFacesPlan
from leokit.synthetic_faces.dataset_plan import STYLES
from leokit.video.h264 import ENCODERS, H264_SUFFIXES
from leokit.video.images import TRANSPARENT_BACKGROUND
from leokit.video.manifest import MANIFEST_NAMES
from leokit.video.readers.base import DEFAULT_FPS
from leokit.video.resize import CROPS
from leokit.video.splits import DEFAULT_FRACTIONS, SPLITS


def test_copied_constants_are_those_of_the_package():
    assert face_options.FACE_CROPS == tuple(CROP_PRESETS)
    assert face_options.FOLLOW == FOLLOW and face_options.DETECTORS == ('auto', *DETECTORS)
    assert face_options.MAX_SIDE == MAX_SIDE and face_options.FEATHER == FEATHER
    assert face_options.color(face_options.BACKGROUND) == TRANSPARENT_BACKGROUND
    assert options.ENCODERS == tuple(ENCODERS) and own_inputs.MANIFEST_NAMES == MANIFEST_NAMES
    assert argument_types.VIDEO_SUFFIXES == (*H264_SUFFIXES, '.gif', '.npy')
    for command in ('animate', 'generate'):
        assert f'from {inference.MIN_COMPILED_FRAMES} frames on' in help_of(command, '--compile')
    assert motion_options.START_FRAMES == inference.START_FRAMES
    assert motion_options.SMOOTHING_FILTERS == inference.SMOOTHING_FILTERS
    assert options.CROPS == CROPS and options.LAUNCHERS == LAUNCHERS and options.SPLITS == SPLITS
    assert options.TRANSFER_MODES == inference.TRANSFER_MODES and options.CHUNK_SIZE == inference.CHUNK_SIZE
    assert generate.SUFFIXES == inference.OUTPUT_SUFFIXES and options.DEFAULT_FPS == DEFAULT_FPS
    assert options.SPLIT_FRACTIONS == DEFAULT_FRACTIONS
    assert regions.MAX_GAP == face_region_detection.MAX_GAP
    assert evaluate.METRICS == tuple(evaluation.VIDEO_SET_METRICS)
    assert ', '.join(evaluation.preset_names()) in help_of('evaluate', '--protocol')
    assert f'the first {MAX_FRAMES} frames' in help_of('edit', '--measure')


def test_defaults_of_synthetic_faces_are_those_of_its_plan():
    assert synthetic_faces.STYLES == STYLES and synthetic_faces.BEHAVIORS == BEHAVIORS
    args = build_parser().parse_args(['synthetic-faces', '--out', 'x'])
    plan = SyntheticFacesPlan()
    for option, field in dict(clips_per_identity='clips_per_identity', num_identities='num_identities', size='size',
                              num_frames='num_frames', fps='fps', seed='seed', style='style',
                              behavior='behavior').items():
        assert getattr(args, option) == getattr(plan, field), option
    assert tuple(args.split_fractions) == (plan.train, plan.val, plan.test)


def leaves(parser, name='leokit'):
    """All parsers without subcommands, by the command."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for choice, subparser in group.choices.items():
            yield from leaves(subparser, f'{name} {choice}')


def help_of(command, flag):
    return LEAVES[f'leokit {command}']._option_string_actions[flag].help


LEAVES = dict(leaves(build_parser()))


@pytest.mark.parametrize('name', LEAVES)
def test_an_option_that_is_shared_has_the_shared_help(name):
    for action in LEAVES[name]._actions:
        assert action.help, f'{name} {action.dest}'
        for flag in action.option_strings:
            if flag in options.OPTIONS:
                assert action.help.startswith(options.OPTIONS[flag]['help']), f'{name} {flag}'


def test_key_values_are_kept_as_typed_until_their_type_is_known(capsys):
    args = build_parser().parse_args(['train', 'a.py', '--cfg-options', 'a.b=[1,2]', 'c=x = y', '--cfg-options', 'd='])
    assert args.cfg_options == {'a.b': '[1,2]', 'c': 'x = y', 'd': ''}
    for text in ('a', '=a'):
        with pytest.raises(SystemExit):
            build_parser().parse_args(['train', 'a.py', '--cfg-options', text])
        assert f'{text!r} is not of the form key=value' in capsys.readouterr().err
