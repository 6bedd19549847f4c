"""Loading a config, and ``$name``: one home for a number that several parts share.

A string ``'$size'`` anywhere in a config stands for the top-level key ``size``, and
``'${data_root}_codes'`` for the text of ``data_root`` with an ending. References are
resolved after ``--cfg-options`` have been merged, so ``--cfg-options data_root=/videos
size=128`` reaches every part.
"""

import re
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.utils import import_modules_from_strings

from leokit.deprecation import CONFIG_KEYS, upgrade_config
from leokit.utils.errors import UserError, suggest
from leokit.utils.shipped import find_config

# What the runner reads from the top level of a config; any other top-level key is there to be referred to.
RUNNER_KEYS = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg',
    'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'default_hooks',
    'custom_hooks', 'data_preprocessor', 'load_from', 'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name', 'compile', 'find_unused_parameters',
    'model_wrapper_cfg', 'activation_checkpointing', 'sync_bn', 'custom_imports', 'load_strict')
MAX_REFERENCE_DEPTH = 8  # a reference may name a key that is itself a reference
TEMPLATE = '_leokit_template'  # attribute of a resolved config: its tree with references
REFERENCE_WITHIN = re.compile(r'\$\{(\w+)\}')


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config file, merge the options and resolve its references.

    Args:
        path (str | Path): A Python config file or the name of a shipped config; see :func:`find_config`.
        options (dict, optional): Overrides, with dotted keys, as ``--cfg-options`` gives them.

    Returns:
        Config: The config with every ``$name`` replaced.

    Raises:
        UserError: If the file is missing or unreadable, an option fits nothing, or a reference names no top-level key.
    """
    path = find_config(path)
    try:
        config = Config.fromfile(str(path))
    except Exception as error:  # mmengine raises many kinds here: syntax, missing base, duplicate keys
        raise UserError(f'the config {path} cannot be read: {error}') from error
    config = _with_current_names(config)
    merge_options(config, options or {})
    if any(key.partition('.')[0] == 'custom_imports' for key in options or {}):
        _import_custom(config)  # reading the file has imported what it names itself
    return resolve_references(config)


def read_config(config: str | Path | Config, options: dict[str, Any] | None = None) -> Config:
    """A config from its file or from one that is loaded already, which stays as it is; see :func:`load_config`."""
    if not isinstance(config, Config):
        return load_config(config, options)
    config = _with_current_names(config)
    merge_options(config, options or {})
    return resolve_references(config)


def _with_current_names(config: Config) -> Config:
    """A copy of the config with the current name of every key, so that options find them."""
    return Config(ConfigDict(upgrade_config(config._cfg_dict.to_dict())), filename=config.filename)


def _import_custom(config: Config) -> None:
    try:
        import_modules_from_strings(**config.custom_imports)
    except (ImportError, TypeError) as error:
        raise UserError(f'custom_imports of the options cannot be imported: {error}; '
                        f'put its folder on PYTHONPATH') from error


def merge_options(config: Config, options: dict[str, Any]) -> None:
    """Override parts of a config, in place.

    Args:
        config (Config): The config.
        options (dict): Values by dotted keys; list items by their number.

    Raises:
        UserError: If a top-level key is new and none that the runner reads, or a dotted key leads nowhere.
    """
    options = {CONFIG_KEYS.get(name, name) + dot + rest: value for (name, dot, rest), value in (
        (key.partition('.'), value) for key, value in options.items())}
    for key in options:
        name = key.partition('.')[0]
        if name not in config and name not in RUNNER_KEYS:
            raise UserError(f'the option {key} fits nothing: the config has no top-level key {name!r}'
                            f'{suggest(name, (*config, *RUNNER_KEYS))}')
    try:
        config.merge_from_dict(options)
    except Exception as error:  # mmengine asserts, indexes and type-checks
        raise UserError(f'the options {", ".join(options)} do not fit the config: {error}') from error


def resolve_references(config: Config) -> Config:
    """Replace every ``'$name'`` by the value of the top-level key ``name``.

    Within a text, ``'${name}'`` is replaced by that value's text, without a slash at its end, so that
    ``'${data_root}_codes'`` lies beside a folder and not in it.

    Args:
        config (Config): The config; it is not changed.

    Returns:
        Config: A new config.

    Raises:
        UserError: If a reference names no top-level key, or references form a circle.
    """
    tree = upgrade_config(config._cfg_dict.to_dict())

    def look_up(name: str, reference: str, where: str, depth: int) -> Any:
        if name not in tree:
            raise UserError(f'the config key {where} refers to {reference}, but there is no top-level key '
                            f'{name!r}; add it to the config or pass --cfg-options {name}=...')
        if depth == MAX_REFERENCE_DEPTH:
            raise UserError(f'the config key {where} refers to {reference}, which refers back to itself')
        return resolve(tree[name], where, depth + 1)

    def resolve(value: Any, where: str, depth: int = 0) -> Any:
        if isinstance(value, dict):
            return {key: resolve(item, f'{where}.{key}' if where else str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(resolve(item, f'{where}[{i}]') for i, item in enumerate(value))
        if isinstance(value, str) and REFERENCE_WITHIN.search(value):
            return REFERENCE_WITHIN.sub(lambda match: str(look_up(match[1], match[0], where, depth)).rstrip('/'), value)
        if isinstance(value, str) and value.startswith('$'):
            return look_up(value[1:], value, where, depth)
        return value

    resolved = Config(ConfigDict(resolve(tree, '')), filename=config.filename)
    object.__setattr__(resolved, TEMPLATE, tree)  # a Config would take it for a key
    return resolved


def with_references(config: Config) -> Config:
    """The config as it was before its references were resolved, with what was changed since.

    So what is saved of it can be overridden in the same places: a ``data_root`` that nothing refers to any more would
    be taken and do nothing.

    Args:
        config (Config): A config of :func:`load_config` or :func:`resolve_references`, or a copy of one.

    Returns:
        Config: A new config that resolves to the given one.
    """
    tree = config._cfg_dict.to_dict()
    before = resolve_references(Config(ConfigDict(config.__dict__.get(TEMPLATE, tree))))._cfg_dict.to_dict()

    def keep(now: Any, then: Any, written: Any) -> Any:
        if isinstance(now, dict) and isinstance(then, dict) and isinstance(written, dict):
            return {key: keep(item, then[key], written[key]) if key in then and key in written else item
                    for key, item in now.items()}
        if isinstance(now, (list, tuple)) and isinstance(written, (list, tuple)) and len(now) == len(written):
            return type(now)(keep(*items) for items in zip(now, then, written))
        return written if now == then else now

    kept = Config(ConfigDict(keep(tree, before, config.__dict__.get(TEMPLATE, tree))))
    # a key that was changed behind its references would drag them along
    return kept if resolve_references(kept)._cfg_dict.to_dict() == tree else Config(ConfigDict(tree))
