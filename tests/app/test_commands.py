"""The command lines on the page parse, and name what the visitor chose."""

import shlex

import pytest

from leokit.app.commands import CommandLines
from leokit.app.models import AppModels
from leokit.cli.commands import build_parser

MODELS = AppModels(None, 'tiny', ('animator.py', 'work dir'), ('motion.py', 'motion.pth'), ('--cfg-options', 'size=64'))


def parse(text):
    words = shlex.split(text)
    assert words[0] == 'leokit'
    return build_parser().parse_args(words[1:])


@pytest.fixture
def lines():
    return CommandLines(MODELS)


def test_animate(lines):
    args = parse(lines.animate('/private/x/my face.png', '/private/y/a"b.mp4', mode='absolute', start_frame='mean',
                               motion_scale=0.5, smooth_seconds=0.1))
    assert (args.start_frame, args.motion_scale, args.smooth) == ('mean', 0.5, 0.1)
    assert (args.config, args.checkpoint) == ('animator.py', 'work dir')
    assert (args.source, args.driving, args.mode) == ('my face.png', 'a"b.mp4', 'absolute')
    assert args.cfg_options == dict(size='64')
    assert parse(lines.animate(None, None, mode='relative')).source == 'portrait.png'


def test_generate_long_and_unconditional(lines):
    args = parse(lines.generate('/x/a.png', num_frames=20, num_sequences=3, seed=7, steps=25))
    assert (args.config, args.checkpoint) == ('motion.py', 'motion.pth')
    assert (args.image, args.num_frames, args.num_sequences, args.seed, args.num_inference_steps) == (
        ['a.png'], 20, 3, 7, 25)
    args = parse(lines.long('/x/a.png', '/x/talk.mp4', num_frames=500, seed=1, steps=50))
    assert (args.continued, args.image, args.num_frames) == (['talk.mp4'], None, 500)
    assert parse(lines.long('/x/a.png', None, num_frames=500, seed=1, steps=50)).image == ['a.png']
    args = parse(lines.unconditional(count=2, num_frames=9, seed=3, guidance_scale=1.5))
    assert (args.unconditional, args.num_frames, args.seed, args.guidance_scale) == (2, 9, 3, 1.5)


def test_edit(lines):
    args = parse(lines.edit('/x/a.mp4', editor='Recolor', editor_options=dict(hue='120', saturation='1')))
    assert (args.video, args.editor, args.editor_options) == ('a.mp4', 'Recolor', dict(hue='120', saturation='1'))
    args = parse(lines.edit('/x/a.mp4', editor='BlurRegion', editor_options=dict(box='0.1,0.2,0.3,0.4')))
    assert args.editor_options == dict(box='0.1,0.2,0.3,0.4')
    args = parse(lines.edit('/x/a.mp4', edited='/y/b.png'))
    assert (args.edited, args.editor) == ('b.png', None)


def test_manipulate_and_compare(lines):
    args = parse(lines.manipulate('/x/a.png', dict(turn=0.5, nod=0.0, **{'3': -1.25})))
    assert (args.image, args.apply, str(args.out)) == ('a.png', ['turn=0.5', '3=-1.25'], 'manipulated.png')
    args = parse(lines.manipulate('/x/a.mp4', {'3': 2.0}, is_video=True))
    assert (args.video, args.apply, str(args.out)) == ('a.mp4', ['3=2'], 'manipulated.mp4')
    args = parse(lines.compare('/x/a.mp4', '/x/b.mp4'))
    assert args.videos == ['a.mp4', 'b.mp4']
