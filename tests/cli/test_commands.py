"""All commands as a whole: help, imports, deprecated names, and the scripts below ``tools/``."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.calling import TOOLS, call_command, call_tool

import leokit.cli
from leokit.cli.commands import COMMANDS, build_parser

HEAVY = ('torch', 'mmengine', 'numpy', 'cv2')
MODULES = sorted(Path(leokit.cli.__file__).parent.rglob('*.py'))


def commands(group, names=()):
    """Names of all commands, with their subcommands."""
    for name, module in group.items():
        if hasattr(module, 'COMMANDS'):
            yield from commands(module.COMMANDS, (*names, name))
        else:
            yield ' '.join((*names, name))


def test_help_is_printed_without_the_heavy_imports():
    script = ('import sys; from leokit.cli.commands import build_parser; build_parser().format_help(); '
              f'sys.exit(str([name for name in {HEAVY} if name in sys.modules]))')
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == '[]'


@pytest.mark.parametrize('command', list(commands(COMMANDS)))
def test_every_command_has_help(command):
    status, said = call_command(command, '--help')
    assert status == 0 and said.startswith(f'usage: leokit {command} ') and f'    leokit {command} ' in said
    # every option says what it is
    assert '==SUPPRESS==' not in said and 'None' not in said


def test_wrong_commands_and_options_show_the_usage():
    for arguments in (('',), ('trian',), ('generate', '--nonsense'), ('analyze',)):
        status, said = call_command(*arguments)
        assert status == 2 and 'usage: leokit' in said


@pytest.mark.parametrize('script', [path for path in sorted(TOOLS.rglob('*.py')) if path.parent.name != 'dev'],
                         ids=lambda path: path.stem)
def test_every_script_is_a_command(script):
    status, said = call_tool(script.relative_to(TOOLS).with_suffix(''), '--help')
    assert status == 0 and said.startswith('usage: leokit ')


@pytest.mark.parametrize('path', MODULES, ids=lambda path: path.relative_to(MODULES[0].parent).as_posix())
def test_imports_within_functions_resolve(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.import_module(f'{node.module}.{alias.name}'), alias.name


def parse(*arguments):
    return build_parser().parse_args(list(map(str, arguments)))


def test_old_option_names_warn_and_work():
    with pytest.warns(FutureWarning) as warned:
        args = parse('generate', 'a.py', '--image', 'a.png', '--out', 'b', '--steps=3', '--guidance', 2)
    assert (args.num_inference_steps, args.guidance_scale) == (3, 2.0) and len(warned) == 2
    assert "the option '--steps' was renamed to '--num-inference-steps'" in str(warned[0].message)
    with pytest.warns(FutureWarning):
        args = parse('analyze', 'disentangle', 'a.py', '--people', 'x', 'y', '--motions', 'z', '--out', 'b')
    assert (args.source, args.driving) == (['x', 'y'], ['z'])


def test_former_positional_arguments_warn_and_work():
    size = ('--size', 8)
    for arguments in (('raw', 'clips', *size), (*size, 'raw', 'clips'), ('raw', *size, '--out', 'clips')):
        with pytest.warns(FutureWarning) as warned:
            args = parse('prepare', *arguments)
        assert "'raw' was renamed to '--videos raw'" in str(warned[0].message)
        assert (args.videos, str(args.out), args.size) == ('raw', 'clips', 8)
    with pytest.warns(FutureWarning):
        args = parse('synthetic-faces', 'faces', '--split', .5, .25, .25, '--identities', 4)
    assert (str(args.out), args.split_fractions, args.num_identities) == ('faces', [.5, .25, .25], 4)


@pytest.mark.filterwarnings('ignore::FutureWarning')
def test_missing_and_superfluous_arguments_are_reported(capsys):
    for arguments, message in (
            (('prepare', 'raw', '--size', 8), 'the following arguments are required: --out'),
            (('prepare', '--size', 8), 'required: --videos, --out'),
            (('prepare', 'raw', 'clips', 'more', '--size', 8), 'unrecognized arguments: more'),
            (('manifest', 'raw', '--out', '/'), 'names? a (folder|file)')):
        with pytest.raises(SystemExit):
            parse(*arguments)
        assert re.search(message, capsys.readouterr().err), arguments


def test_current_names_do_not_warn(recwarn):
    parse('generate', 'a.py', '--image', 'a.png', '--out', 'b', '--num-inference-steps', 3)
    assert not recwarn.list


@pytest.mark.parametrize('command, sentence', [
    (['analyze', 'expressions', 'c.py', '--ground-truth', 'x', '--videos', 'y'],
     'usage: leokit analyze expressions .*unrecognized arguments: --videos y; leokit analyze expressions --help lists'),
    (['animate', 'c.py', '--driving', 'a.mp4', '--motion-scal3', '2'], r'scal3 2; did you mean --motion-scale\?'),
    (['animate', 'c.py', '--driving', 'a.mp4', 'work_dirs/lia'],
     'unrecognized arguments: work_dirs/lia; CHECKPOINT has its place right after the argument before it')])
def test_unknown_arguments_are_answered_by_the_command_itself(command, sentence):
    status, said = call_command(*command)
    assert status == 2 and re.search(sentence, said, re.DOTALL), said
