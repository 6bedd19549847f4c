"""References in configs: ``$name`` stands for the value of the top-level key ``name``.

- ``'$size'`` is the value of ``size``, of any type.
- ``'${data_root}_codes'`` is the text of ``data_root``, without a trailing slash, followed by ``_codes``.
- A reference may name a key that is itself a reference.
- References are resolved after ``--cfg-options`` are merged, so ``--cfg-options data_root=/videos size=128`` reaches
  every part of the config. (MMEngine's ``{{_base_.name}}`` is replaced while the file is read, before the options.)
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from mmengine.config import Config, ConfigDict

from leokit.deprecation import upgrade_config
from leokit.utils.errors import UserError

MAX_DEPTH = 8  # of references to references
MAX_VALUES = 100_000  # of a resolved config; references to references multiply
WITHIN_TEXT = re.compile(r'\$\{(\w+)\}')
UNRESOLVED = '_leokit_unresolved'  # attribute of a resolved config: its content with references


def resolve_references(config: Config) -> Config:
    """Replace the references of a config, and old names by current ones.

    Args:
        config (Config): The config; it is not changed.

    Returns:
        Config: A new config, from which :func:`with_references` can recover the references.
    """
    tree = upgrade_config(config._cfg_dict.to_dict())
    resolved = Config(ConfigDict(_resolve(tree, tree, '', count())), filename=config.filename)
    object.__setattr__(resolved, UNRESOLVED, tree)  # Config.__setattr__ would add a key; copies keep the attribute
    return resolved


def _resolve(value: Any, tree: dict[str, Any], path: str, numbers: Iterator[int], depth: int = 0) -> Any:
    if next(numbers) == MAX_VALUES:
        raise UserError(f'the references of the config multiply to more than {MAX_VALUES} values (at {path[:80]}...); '
                        'remove those that refer back to themselves')
    def look_up(name: str, reference: str) -> Any:
        if name not in tree:
            raise UserError(f'the config key {path} refers to {reference}, but there is no top-level key '
                            f'{name!r}; add it to the config or pass --cfg-options {name}=...')
        if depth == MAX_DEPTH:
            raise UserError(f'the config key {path} refers to {reference}, which refers back to itself')
        return _resolve(tree[name], tree, path, numbers, depth + 1)

    if isinstance(value, dict):
        return {key: _resolve(item, tree, f'{path}.{key}' if path else str(key), numbers, depth)
                for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_resolve(item, tree, f'{path}[{i}]', numbers, depth) for i, item in enumerate(value))
    if isinstance(value, str) and WITHIN_TEXT.search(value):
        return WITHIN_TEXT.sub(lambda match: str(look_up(match[1], match[0])).rstrip('/'), value)
    if isinstance(value, str) and value.startswith('$'):
        return look_up(value[1:], value)
    return value


def with_references(config: Config) -> Config:
    """Recover the references of a resolved config that may have been changed since, for saving.

    A saved config must react to overrides as the original does: without its references, a new ``data_root`` would be
    accepted and have no effect.

    Args:
        config (Config): A result of :func:`resolve_references`, or a copy of one.

    Returns:
        Config: A new config that resolves to the given one.
    """
    tree = config._cfg_dict.to_dict()
    unresolved = config.__dict__.get(UNRESOLVED, tree)
    before = resolve_references(Config(ConfigDict(unresolved)))._cfg_dict.to_dict()
    restored = Config(ConfigDict(_restore(tree, before, unresolved)))
    # if a key was changed after the references to it were resolved, they would resolve to another value now
    return restored if resolve_references(restored)._cfg_dict.to_dict() == tree else Config(ConfigDict(tree))


def _restore(now: Any, before: Any, unresolved: Any) -> Any:
    """The unresolved form of every value that is still the one its reference resolved to."""
    if isinstance(now, dict) and isinstance(before, dict) and isinstance(unresolved, dict):
        return {key: _restore(item, before[key], unresolved[key]) if key in before and key in unresolved else item
                for key, item in now.items()}
    if isinstance(now, (list, tuple)) and isinstance(unresolved, (list, tuple)) and len(now) == len(unresolved):
        return type(now)(_restore(*items) for items in zip(now, before, unresolved))
    return unresolved if now == before else now
