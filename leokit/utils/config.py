"""Loading configs and overriding parts of them; ``references.py`` describes ``$name``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.utils import import_modules_from_strings

from leokit.deprecation import CONFIG_KEYS, upgrade_config
from leokit.utils.config_paths import config_folders, resolve_paths
from leokit.utils.errors import StoppedBySignal, UserError, suggest
from leokit.utils.model_folder import CONFIG_FILE, ModelFolder, find_model
from leokit.utils.option_text import OptionText
from leokit.utils.references import MAX_DEPTH, resolve_references, with_references
from leokit.utils.registered_types import check_registered
from leokit.utils.shipped import config_names, find_config

# The top-level keys that the runner reads; all others serve references.
RUNNER_KEYS = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg',
    'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'default_hooks',
    'custom_hooks', 'data_preprocessor', 'load_from', 'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name', 'compile', 'find_unused_parameters',
    'model_wrapper_cfg', 'activation_checkpointing', 'sync_bn', 'custom_imports', 'load_strict')
ABSENT = object()  # stands for the value of a key that a config does not have
# Top-level keys that hold a string even where they are None or absent.
STRING_KEYS = ('work_dir', 'load_from', 'frame_cache', 'default_scope', 'experiment_name', 'log_level')


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config file, merge the options and resolve its references.

    Args:
        path (str | Path): A Python config file, the name of a shipped config (:func:`find_config`) or a model folder
            (:mod:`leokit.utils.model_folder`).
        options (dict, optional): Overrides by dotted keys, as from ``--cfg-options``.

    Returns:
        Config: The config with every ``$name`` replaced.
    """
    model = find_model(path)
    if model is not None:
        return read_config(_model_config(model), options)
    path = find_config(path)
    if path.suffix != '.py':  # MMEngine's loader of YAML executes what the file says
        raise UserError(f'the config {path} is not a Python file (.py); write it as one')
    config = _with_current_names(read_config_file(path))
    merge_options(config, options or {})
    if any(key.partition('.')[0] == 'custom_imports' for key in options or {}):
        _import_custom(config)  # MMEngine has imported only those that the file names
    return resolve_references(config)


def _model_config(model: ModelFolder) -> Config:
    """The config of a model folder, which is data; LEO's has the benchmark of the shipped config that it names."""
    path = str(model.folder / CONFIG_FILE)
    benchmark = model.index.get('benchmark') if model.part is None else None
    if benchmark is not None and benchmark not in config_names():  # a file would be executed
        raise UserError(f'{path} has benchmark={benchmark!r}, which is not the name of a shipped config; remove it')
    base = Config.fromfile(str(config_names()[benchmark]))._cfg_dict.to_dict() if benchmark else {}
    config = Config(ConfigDict({**base, **model.config()}), filename=path)
    check_registered(config, path)
    return config


def read_config_file(path: Path) -> Config:
    """Execute a config file; its paths are those of :mod:`leokit.utils.config_paths`, its references are kept."""
    try:
        config = Config.fromfile(str(path))
    except StoppedBySignal:
        raise
    except (Exception, SystemExit) as error:  # syntax, missing base, duplicate keys: MMEngine raises many types
        reason = f'it calls exit({error})' if isinstance(error, SystemExit) else error
        raise UserError(f'the config {path} cannot be read: {reason}') from error
    tree = config._cfg_dict.to_dict()
    for key, value in _values(tree):
        if callable(value) and not (isinstance(value, type) and key.endswith('.type')):
            raise UserError(f'the config {path} cannot be saved with a run: its {key} is {value!r}; write numbers, '
                            'strings, lists and dicts')
    return Config(ConfigDict(resolve_paths(tree, config_folders(path))), filename=config.filename)


def _values(tree: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    """The values of nested dicts and lists, with their dotted keys."""
    if isinstance(tree, (dict, list, tuple)):
        for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _values(value, f'{path}.{name}' if path else str(name))
    else:
        yield path, tree


def read_config(config: str | Path | Config, options: dict[str, Any] | None = None) -> Config:
    """Like :func:`load_config`, but also accepts a loaded config, which is not changed."""
    if not isinstance(config, Config):
        return load_config(config, options)
    filename = config.filename
    config = _with_current_names(with_references(config), filename)  # options reach what refers to their keys
    merge_options(config, options or {})
    return resolve_references(config)


def _with_current_names(config: Config, filename: str | None = None) -> Config:
    """A copy of the config with the current name of every key, so that options find them."""
    return Config(ConfigDict(upgrade_config(config._cfg_dict.to_dict())), filename=filename or config.filename)


def _import_custom(config: Config) -> None:
    try:
        import_modules_from_strings(**config.custom_imports)
    except (ImportError, TypeError) as error:
        raise UserError(f'custom_imports of the options cannot be imported: {error}; '
                        f'put its folder on PYTHONPATH') from error


def merge_options(config: Config, options: dict[str, Any]) -> None:
    """Override parts of a config in place; a new top-level key must be one that the runner reads.

    Args:
        config (Config): The config.
        options (dict): Values by dotted keys; list items by their index. Texts of the command line
            (:class:`~leokit.utils.option_text.OptionText`) are read as the type of the value that they override.
    """
    options = {CONFIG_KEYS.get(name, name) + dot + rest: value for (name, dot, rest), value in (
        (key.partition('.'), value) for key, value in options.items())}
    for key in options:
        name = key.partition('.')[0]
        if name not in config and name not in RUNNER_KEYS:
            raise UserError(f'the option {key} has no effect: the config has no top-level key {name!r}'
                            f'{suggest(name, (*config, *RUNNER_KEYS))}')
    tree = config._cfg_dict.to_dict()
    for key in options:
        _open_parents(config, key)
    try:
        config.merge_from_dict({key: _read_option(tree, key, value) for key, value in options.items()})
    except UserError:
        raise
    except Exception as error:  # MMEngine raises AssertionError, IndexError, TypeError, ...
        raise UserError(f'the options {", ".join(options)} do not fit the config: {error}') from error


def _open_parents(config: Config, key: str) -> None:
    """Make the parents of a dotted key that are None empty dicts, which options may fill; not those of strings."""
    *parents, _ = key.split('.')
    if parents and parents[0] in STRING_KEYS:
        return
    node = config
    for name in parents:
        if not isinstance(node, (Config, dict)) or name not in node:
            return
        if node[name] is None:
            node[name] = {}
        node = node[name]


def _read_option(tree: dict[str, Any], key: str, value: Any) -> Any:
    if not isinstance(value, OptionText):
        return value
    current = _current_value(tree, key)
    try:
        result = value.read('' if current in (None, ABSENT) and key in STRING_KEYS else current)
    except UserError as error:
        raise UserError(f'the option {key}={value} cannot be read: {error}') from error
    if isinstance(result, dict) and current is not ABSENT and not isinstance(current, dict):
        result['_delete_'] = True  # MMEngine merges dicts into dicts only
    return result


def _current_value(tree: dict[str, Any], key: str) -> Any:
    """The value of a dotted key, its references followed; :data:`ABSENT` if there is none."""
    value = tree
    for name in key.split('.'):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, (list, tuple)) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
        for _ in range(MAX_DEPTH):
            if not (isinstance(value, str) and value.startswith('$') and value[1:] in tree):
                break
            value = tree[value[1:]]
    return value
