"""Values of ``KEY=VALUE`` on the command line: what a text means depends on what the key holds.

- A key that holds a string keeps the text as typed: blanks, commas, digits and ``True`` included. Only ``None`` and
  ``dict(...)`` are read there.
- A key that holds a list of strings takes ``[a,b]``, ``a,b`` or ``None``.
- Every other key takes Python values without quotes around strings: ``12``, ``1e-3``, ``True``, ``None``, ``[1,2]`` or
  ``1,2``, ``(0,0.8)``, ``dict(type=L1Loss)``. Quotes make a string of anything: ``'12'``.
"""

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leokit.utils.errors import UserError

BRACKETS = {'[': ']', '(': ')', '{': '}'}
OPENERS = ('', '[', '(', '{', ',', '=', ':')  # what a quoted string follows
KEY = re.compile(r'[\w.]+')
MAX_DEPTH = 50  # of brackets within brackets


class OptionText(str):
    """A value from the command line whose type is not known yet."""

    def read(self, current: Any = None) -> Any:
        """The value of a key that holds ``current``; see the module's rules.

        Raises:
            UserError: If brackets or quotes do not match.
        """
        if isinstance(current, str) and not _is_dict(self):
            return None if self == 'None' else str(self)
        strings = isinstance(current, (list, tuple)) and bool(current) \
            and all(isinstance(item, str) for item in current)
        return None if self.strip() == 'None' else _read(self.strip(), strings=strings, depth=0)


def read_options(options: Mapping[str, Any], function: Callable) -> dict[str, Any]:
    """Read the texts among the arguments of a function or class; the annotations of its parameters are their types."""
    try:
        hints = typing.get_type_hints(function.__init__ if inspect.isclass(function) else function)
    except (NameError, TypeError, AttributeError):  # annotations of other packages may not be resolvable
        hints = {}
    return {key: value.read(_example(hints.get(key))) if isinstance(value, OptionText) else value
            for key, value in options.items()}


def _example(hint: Any) -> Any:
    """A value of the annotated type, as far as the reading of texts depends on it."""
    kinds = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    if any(typing.get_args(kind)[:1] == (str,) for kind in kinds):
        return ['']
    return '' if {str, Path}.intersection(kinds) else None


def _is_dict(text: str) -> bool:
    text = text.strip()
    return (text.startswith('dict(') and text.endswith(')')) or (text.startswith('{') and text.endswith('}'))


def _read(text: str, *, strings: bool, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise UserError(f'{text[:40]}... has too many brackets')
    if _is_dict(text):
        return _read_dict(text, depth)
    if text[:1] in ('[', '(') and text[-1:] == BRACKETS[text[0]]:
        items = [_read(item, strings=strings, depth=depth + 1) for item in _split(text[1:-1])]
        return tuple(items) if text[0] == '(' else items
    parts = _split(text)
    if len(parts) > 1 or text.endswith(','):
        return [_read(part, strings=strings, depth=depth + 1) for part in parts]
    return _unquoted(text) if strings else _scalar(text)


def _read_dict(text: str, depth: int) -> dict[str, Any]:
    """``dict(a=1)`` or ``{'a': 1}``."""
    called = text.startswith('dict(')
    result = {}
    for item in _split(text[text.index('(') + 1:-1] if called else text[1:-1]):
        key, sign, value = item.partition('=' if called else ':')
        key = key.strip().strip('\'"')
        if not sign or not KEY.fullmatch(key):
            raise UserError(f'{item!r} is not of the form {"key=value" if called else "key: value"}')
        result[key] = _read(value.strip(), strings=False, depth=depth + 1)
    return result


def _split(text: str) -> list[str]:
    """Split at the commas that are outside of brackets and quotes; a last comma ends the last item."""
    parts, closing, quote, start = [], [], '', 0
    for index, char in enumerate(text):
        if quote:
            quote = '' if char == quote else quote
        elif char in '\'"' and text[:index].rstrip()[-1:] in OPENERS:  # an apostrophe within a word is no quote
            quote = char
        elif char in BRACKETS:
            closing.append(BRACKETS[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char in BRACKETS.values():
            raise UserError(f'{text!r} has a bracket too many')
        elif char == ',' and not closing:
            parts.append(text[start:index].strip())
            start = index + 1
    if closing or quote:
        raise UserError(f'{text!r} has an open {"quote" if quote else "bracket"}')
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _scalar(text: str) -> int | float | bool | str | None:
    if _unquoted(text) != text:
        return _unquoted(text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return dict(true=True, false=False).get(text.lower(), None if text == 'None' else text)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] in '\'"' and text[-1] == text[0] else text
