"""All subcommands of ``leokit``, their parser, and the program itself."""

import sys
from collections.abc import Mapping
from types import ModuleType

from leokit.cli import (
    ablate, analyze, animate, app, bench, compare, convert, data, edit, evaluate, export, extract, generate, grow, live,
    manifest, manipulate, prepare, quickstart, synthetic_faces, test, train, user_study, zoo)
from leokit.cli.cpu_threads import wait_passively
from leokit.cli.imports import import_libraries
from leokit.cli.parser import CommandParser
from leokit.version import __version__

DESCRIPTION = """Latent-motion human video: train, generate, animate, edit and evaluate LIA and LEO.

`leokit COMMAND --help` explains a command. CONFIG is a file, the name of a shipped config or a trained
model (`leokit zoo list`); CHECKPOINT is a file or a work dir."""

COMMANDS: dict[str, ModuleType] = {
    'train': train, 'test': test, 'extract': extract, 'generate': generate, 'animate': animate, 'edit': edit,
    'manipulate': manipulate, 'live': live, 'compare': compare, 'app': app, 'evaluate': evaluate,
    'ablate': ablate, 'analyze': analyze, 'user-study': user_study, 'prepare': prepare, 'manifest': manifest,
    'data': data, 'synthetic-faces': synthetic_faces, 'convert': convert, 'grow': grow, 'export': export,
    'bench': bench, 'zoo': zoo, 'quickstart': quickstart}


def main(*command: str) -> None:
    """Run the command line and exit with its status.

    Args:
        *command (str): The subcommand, for a script that is one, e.g. ``'analyze', 'actions'``; by default the first
            arguments of the command line name it.
    """
    wait_passively()  # before torch is imported; --cfg-options does so
    args = build_parser().parse_args([*command, *sys.argv[1:]])
    import_libraries()  # not at the top: --help does without them
    from leokit.utils.errors import run_tool
    from leokit.utils.lifeline import stop_with_parent
    stop_with_parent()
    run_tool(lambda: args.run(args))


def build_parser() -> CommandParser:
    """The parser of the whole command line; the parsed arguments hold the command's function as ``run``."""
    parser = CommandParser(prog='leokit', description=DESCRIPTION)
    parser.add_argument('--version', action='version', version=f'leokit {__version__}')
    _add_commands(parser, COMMANDS)
    return parser


def _add_commands(parser: CommandParser, commands: Mapping[str, ModuleType]) -> None:
    """Add modules as subcommands; a module with ``COMMANDS`` is a group of further ones."""
    choices = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name, module in commands.items():
        summary = module.__doc__.split('\n\n')[0].replace('\n', ' ')
        subparser = choices.add_parser(name, help=summary, description=module.__doc__)
        if hasattr(module, 'COMMANDS'):
            _add_commands(subparser, module.COMMANDS)
        else:
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
