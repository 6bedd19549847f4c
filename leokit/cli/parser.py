"""The argument parser of all commands: option names of the last release still work, with a warning.

An output that is an input of the same command line is refused.
"""

import argparse
import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from leokit.cli.own_inputs import find_own_input
from leokit.deprecation import warn_renamed

HELP_FLAGS = {'-h', '--help'}


class CommandParser(argparse.ArgumentParser):
    """An argument parser that prints descriptions as they are written and accepts deprecated option names."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self._renamed: dict[str, str] = {}
        self._former_positionals: tuple[str, ...] = ()

    def accept_deprecated(self, renamed: Mapping[str, str], positionals: Sequence[str] = ()) -> None:
        """Accept the names of the last release; the help does not show them.

        Args:
            renamed (Mapping): Old option name -> new one.
            positionals (Sequence[str]): Options that were positional arguments, in their order.
        """
        self._renamed.update(renamed)
        self._former_positionals = tuple(positionals)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Translate deprecated names, parse, and refuse unknown arguments and an output that is an input."""
        namespace, rest = self._parse_current_names(args, namespace)
        if self._subparsers is None:
            if rest:  # not left to the parser of all commands, whose usage does not help
                self.error(self._describe_unknown(rest, namespace))
            if problem := find_own_input(self._actions, namespace):
                self.error(problem)
        return namespace, rest

    def _describe_unknown(self, rest: Sequence[str], namespace: Any) -> str:
        """A sentence about arguments that the command does not take, with the options that they may stand for."""
        sentence = f'unrecognized arguments: {" ".join(rest)}'
        for flag in [text.partition('=')[0] for text in rest if text.startswith('--')]:
            known = difflib.get_close_matches(flag, self._option_string_actions, 2, 0.6)
            if known:
                return f'{sentence}; did you mean {" or ".join(known)}?'
        free = [action.metavar for action in self._actions
                if action.nargs == '?' and not action.option_strings and getattr(namespace, action.dest) is None]
        if free and not rest[0].startswith('-'):
            return f'{sentence}; {free[0]} has its place right after the argument before it, not behind options'
        return f'{sentence}; {self.prog} --help lists all'

    def _parse_current_names(self, args: Sequence[str] | None, namespace: Any) -> tuple[Any, list[str]]:
        args = [self._current_name(text) for text in (sys.argv[1:] if args is None else args)]
        moved = [self._option_string_actions[flag] for flag in self._former_positionals]
        required = [action for action in moved if action.required]
        if HELP_FLAGS.intersection(args) or not moved:
            return super().parse_known_args(args, namespace)
        for action in required:  # checked below, once positional values are assigned
            action.required = False
        try:
            namespace, rest = super().parse_known_args(args, namespace)
        finally:
            for action in required:
                action.required = True
        rest = self._assign_positionals(moved, namespace, rest)
        missing = ['/'.join(action.option_strings) for action in required if getattr(namespace, action.dest) is None]
        if missing:
            self.error(f'the following arguments are required: {", ".join(missing)}')
        return namespace, rest

    def _current_name(self, text: str) -> str:
        flag, equals, value = text.partition('=')
        if flag not in self._renamed:
            return text
        warn_renamed('option', flag, self._renamed[flag])
        return self._renamed[flag] + equals + value

    def _assign_positionals(self, moved: list[argparse.Action], namespace: Any, rest: list[str]) -> list[str]:
        """Give positional values to the options that replaced them; return what is left."""
        for action in moved:
            position = next((i for i, text in enumerate(rest) if not text.startswith('-')), None)
            if position is None or getattr(namespace, action.dest) is not None:
                continue
            text = rest.pop(position)
            warn_renamed('positional argument', text, f'{action.option_strings[0]} {text}')
            try:
                setattr(namespace, action.dest, action.type(text) if action.type else text)
            except argparse.ArgumentTypeError as error:
                self.error(f'argument {action.option_strings[0]}: {error}')
        return rest
