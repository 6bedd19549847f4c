"""Configs as plain data: what a checkpoint carries in ``meta['cfg']``, written and read without running code."""

import ast
import math
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, ConfigDict

from leokit.utils.errors import UserError
from leokit.utils.references import with_references

PLAIN_TYPES = (bool, int, float, str, type(None))
NUMBERS = dict(inf=math.inf, nan=math.nan)  # how Python prints them


def config_to_data(config: Config, *, references: bool = True) -> dict[str, Any]:
    """A config as nested dicts, lists and tuples of numbers and strings; its references are kept unless told not to."""
    return _plain((with_references(config) if references else config)._cfg_dict.to_dict())


def config_from_checkpoint(checkpoint: Mapping[str, Any], source: str) -> Config:
    """The config that a checkpoint carries.

    Args:
        checkpoint (Mapping): Content of the checkpoint; ``meta['cfg']`` is a dict or, in checkpoints of leokit 0.1, the
            Python text of a config, which is parsed and not executed.
        source (str): Name of the checkpoint for error messages.

    Returns:
        Config: The config; references are not resolved.
    """
    data = checkpoint.get('meta', {}).get('cfg')
    if isinstance(data, str):
        try:
            data = parse_config(data)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise UserError(f'the config in {source} is not plain data ({error}); pass the config file') from error
    if not isinstance(data, Mapping):
        raise UserError(f'{source} carries no config; pass the config that it was trained with')
    return Config(ConfigDict(data))


def parse_config(text: str) -> dict[str, Any]:
    """Parse the text of a config (``Config.pretty_text``): assignments of literals and ``dict(...)``."""
    result = {}
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign) or not all(isinstance(name, ast.Name) for name in statement.targets):
            raise ValueError(f'line {statement.lineno} is not of the form name = value')
        result.update({name.id: _value(statement.value) for name in statement.targets})
    return result


def _value(node: ast.expr) -> Any:
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _value(value) for key, value in zip(node.keys, node.values)}
    if isinstance(node, ast.Name) and node.id in NUMBERS:
        return NUMBERS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Call):
        return _call(node)
    return ast.literal_eval(node)


def _call(node: ast.Call) -> Any:
    """``dict(a=1)``, ``dict({'a-b': 1})``; the path of ``PosixPath('a')`` as a string."""
    name = node.func.id if isinstance(node.func, ast.Name) else ''
    if name in ('PosixPath', 'WindowsPath') and len(node.args) == 1:
        return ast.literal_eval(node.args[0])
    if name != 'dict' or len(node.args) > 1 or not all(isinstance(item, ast.Dict) for item in node.args):
        raise ValueError(f'line {node.lineno} calls {ast.unparse(node.func)}')
    if any(keyword.arg is None for keyword in node.keywords):
        raise ValueError(f'line {node.lineno} unpacks a dict')
    result = _value(node.args[0]) if node.args else {}
    return {**result, **{keyword.arg: _value(keyword.value) for keyword in node.keywords}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value if isinstance(value, PLAIN_TYPES) else str(value)
