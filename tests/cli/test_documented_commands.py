"""Every command that README and docs show has options that exist, under their current names."""

import argparse
import re
import shlex
import warnings
from pathlib import Path

import pytest
from support.calling import TOOLS

from leokit.cli.commands import build_parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / 'README.md', *sorted(ROOT.glob('docs/**/*.md')), *sorted(ROOT.glob('projects/*/README.md'))]
COMMAND = re.compile(r'^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:python tools/(?!dev/)(\S+)\.py|(?:python -m )?leokit) (.+)$')
SCRIPT = re.compile(r'main\((.*)\)')


def documented_commands(path):
    """Lines of code blocks that run leokit, as lists of arguments; continued lines are joined."""
    text = path.read_text().replace('\\\n', ' ')
    blocks = re.findall(r'^```(?:bash|sh|text)?\n(.*?)^```', text, re.M | re.S) + re.findall(r'^ {4}\S.*$', text, re.M)
    for line in '\n'.join(blocks).splitlines():
        match = COMMAND.match(re.sub(r'\s+', ' ', line).strip())
        if match is None or '...' in match[2]:
            continue
        name = [] if match[1] is None else script_command(match[1])
        if match[1] and not name:
            continue  # a tool that is no command of leokit
        command = re.split(r' (?:\|\|?|&&|;|>) ', match[2])[0]
        command = re.sub(r'(--cfg-options .*)\$ANIMATOR', r'\1animator.checkpoint=x', command)
        yield [*name, *shlex.split(command.replace('$ANIMATOR', 'CONFIG CHECKPOINT'), comments=True)]


def script_command(tool):
    """The command of a script, e.g. ``['analyze', 'probe']``."""
    return re.findall(r"'([\w-]+)'", SCRIPT.search((TOOLS / f'{tool}.py').read_text())[1])


def mentioned_commands(path):
    """Commands with options in running text, which may be incomplete: command and options."""
    for tool, rest in re.findall(r'`(?:python )?(?:tools/(\S+)\.py|leokit) ([^`]*--[^`]*)`', path.read_text()):
        words = [*(script_command(tool) if tool else []), *rest.split()]
        yield words, [word.partition('=')[0] for word in words if word.startswith('--')]


CASES = [(path, arguments) for path in DOCUMENTS for arguments in documented_commands(path)]


def test_there_are_documented_commands():
    assert len(CASES) > 30


@pytest.mark.parametrize('path, arguments', CASES, ids=[f'{path.stem}: {" ".join(words)}' for path, words in CASES])
def test_documented_commands_parse(path, arguments, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        try:
            build_parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(f'{path.relative_to(ROOT)}: {shlex.join(arguments)}\n{capsys.readouterr().err}')


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.stem)
def test_mentioned_options_exist(path):
    for words, flags in mentioned_commands(path):
        parser = build_parser()
        while groups := [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]:
            if words[0] in ('COMMAND', '--help'):
                break
            parser = groups[0].choices[words.pop(0)]
        for flag in flags:
            assert flag in parser._option_string_actions, f'{parser.prog} {flag}'
