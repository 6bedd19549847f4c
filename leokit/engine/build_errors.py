"""Mistakes in a config as one sentence: the type or argument, where it stands, what was probably meant.

MMEngine's registries raise KeyError for an unknown type, and Python raises TypeError
for an unknown argument. The innermost frame of the traceback tells which part of the
config was being built.
"""

import difflib
import inspect
import re
from collections.abc import Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Callable, Iterator

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS, Registry

from leokit.utils.config import RUNNER_KEYS
from leokit.utils.errors import UserError, suggest

CO_REQUIRED_KEYS = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'))
SIMILARITY_CUTOFF = 0.88  # likeness from which a top-level key counts as a misspelled one of the Runner's
REGISTRY_FUNCTIONS = 'mmengine.registry.build_functions'
RUNNER_FUNCTIONS = 'mmengine.runner.runner'
# functions there that read a part of the config, and the part
BUILDERS = dict(build_dataloader='a data loader', build_optim_wrapper='optim_wrapper', setup_env='env_cfg',
                set_randomness='randomness', build_logger='log_level', _check_scheduler_cfg='param_scheduler')
FRAMEWORKS = ('mmengine', 'torch', 'numpy', 'multiprocessing', 'random', 'logging')
HINT = ' (LEOKIT_TRACEBACK=1 shows where)'
WRONG_ARGUMENTS = re.compile(r"(?P<callee>[\w.<>]+)\(\) (?P<complaint>got an unexpected keyword argument "
                             r"'(?P<name>\w+)'|missing \d+ required .*|got multiple values for .*|"
                             r'takes .* but .* given)')


def check_config_keys(config: Mapping[str, Any]) -> None:
    """Find misspelled and missing top-level keys.

    A config may hold any further top-level keys, for its own references.

    Args:
        config (Mapping): The config.

    Raises:
        UserError: If a key nearly has the name of one that the runner reads, or if the runner needs another one.
    """
    for key in config:
        meant = difflib.get_close_matches(key, RUNNER_KEYS, 1, SIMILARITY_CUTOFF)
        if key not in RUNNER_KEYS and meant and meant[0] not in config:
            raise UserError(f'the config key {key!r} is used by nothing; rename it to {meant[0]!r}')
    if 'model' not in config:
        raise UserError(f"the config has no 'model'{suggest('model', config)}")
    for group in CO_REQUIRED_KEYS:
        absent = [key for key in group if config.get(key) is None]
        if absent and len(absent) < len(group):
            raise UserError(f'the config has {", ".join(sorted(set(group) - set(absent)))} but no {absent[0]!r}'
                            f'{suggest(absent[0], set(config) - set(RUNNER_KEYS))}; these go together')


@contextmanager
def explain_build_errors(config: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Turn errors that a wrong config causes inside this block into :class:`UserError`.

    Args:
        config (Mapping, optional): The whole config, to say where in it the mistake is.

    Yields:
        None: Nothing.

    Raises:
        UserError: For an unknown type, an unknown or missing argument, or a refused value.
    """
    try:
        yield
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        sentence = _explain(error, config.to_dict() if isinstance(config, Config) else config or {})
        if sentence is None:
            raise
        raise UserError(sentence) from error


def _explain(error: Exception, config: Mapping[str, Any]) -> str | None:
    frames = _frames(error)
    innermost = frames[-1]
    builds = [frame for frame in frames if _module(frame) == REGISTRY_FUNCTIONS]
    local = builds[-1].f_locals if builds else {}
    if isinstance(error, KeyError) and builds:
        return _unknown_type(local, config) if innermost is builds[-1] else None
    if builds and innermost is builds[-1] and not isinstance(local.get('cfg'), Mapping):
        return f"a part of the config must be a dict with a 'type', but here it is {local.get('cfg')!r}"
    wrong = WRONG_ARGUMENTS.match(str(error)) if isinstance(error, TypeError) else None
    if wrong is not None:
        builder = innermost.f_code.co_name.startswith('build') or innermost.f_code.co_name == '__init__'
        return _wrong_argument(wrong, _callee(wrong['callee'], local.get('obj_cls'), innermost), config) if builder \
            else None
    refused = _unknown_optimizer(frames, config) or _refused_value(frames, error)
    if refused is not None:
        return refused
    if builds and _in_constructor(frames, builds[-1], local.get('obj_cls')):
        name = _name(local['obj_cls'])
        hint = '' if isinstance(error, ValueError) else HINT
        return f'{name}{_where(config, name)} cannot be built: {error}{hint}'
    return None


def _unknown_optimizer(frames: list[FrameType], config: Mapping[str, Any]) -> str | None:
    """MMEngine looks optimizers up past the registry's own check."""
    for frame in frames:
        if frame.f_locals.get('optimizer_cls', frame) is None:
            name = frame.f_locals['self'].optimizer_cfg['type']
            return _unknown_type(dict(obj_type=name, registry=OPTIMIZERS), config)
    return None


def _refused_value(frames: list[FrameType], error: Exception) -> str | None:
    """Where MMEngine hands a value of the config to torch or numpy itself, and they refuse it."""
    calls = [index for index, frame in enumerate(frames)
             if _module(frame) == RUNNER_FUNCTIONS and frame.f_code.co_name in BUILDERS]
    if not calls or any(_module(frame).partition('.')[0] not in FRAMEWORKS for frame in frames[calls[-1]:]):
        return None
    return f'{BUILDERS[frames[calls[-1]].f_code.co_name]} cannot be built: {error}{HINT}'


def _in_constructor(frames: list[FrameType], build: FrameType, built: Any) -> bool:
    """Whether the constructor, or a framework that it calls, refuses a value; all else is a failure elsewhere."""
    allowed = (getattr(built, '__module__', '').partition('.')[0], *FRAMEWORKS)
    below = frames[frames.index(build) + 1:]
    return bool(below) and all(_module(frame).partition('.')[0] in allowed for frame in below)


def _unknown_type(local: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    name = local.get('obj_type')
    if not isinstance(name, str):
        return f"this part of the config has no 'type': {dict(local.get('cfg') or {})}"
    registry: Registry | None = local['registry']
    label, known = registry.name, set()
    while registry is not None:
        known |= set(registry.module_dict)
        registry = registry.parent
    hint = suggest(name, known) or f'; it has {", ".join(sorted(known)[:12]) or "no types at all"}'
    return f'{name!r}{_where(config, name)} is not a type of the registry {label!r}{hint}'


def _callee(path: str, built: Any, frame: FrameType) -> tuple[str, Callable | None]:
    """Name of the part that was called wrongly, and the function whose arguments count.

    The part is what a registry builds; where MMEngine itself calls a class (DataLoader, ValLoop), it is that class.
    """
    owner, _, method = path.rpartition('.')
    ancestors = [each.__name__ for each in getattr(built, '__mro__', ())]
    if owner and owner not in ancestors:
        built = frame.f_globals.get(owner)
        return owner, built
    return _name(built), built if method == '__init__' or not owner else getattr(built, method, None)


def _wrong_argument(wrong: re.Match, callee: tuple[str, Callable | None], config: Mapping[str, Any]) -> str:
    name, function = callee
    if wrong['name'] is None:
        return f'{name}{_where(config, name)} cannot be built: {wrong["callee"]}() {wrong["complaint"]}'
    accepted = _arguments(function)
    hint = suggest(wrong['name'], accepted) or (f'; it takes {", ".join(accepted)}' if accepted else '')
    return f'{name}{_where(config, name)} takes no argument {wrong["name"]!r}{hint}'


def _arguments(function: Callable | None) -> list[str]:
    if function is None:
        return []
    try:
        return [name for name in inspect.signature(function).parameters if name != 'self']
    except (TypeError, ValueError):  # built-in functions may have no signature
        return []


def _where(config: Any, type_name: str) -> str:
    """`` (at model.encoder)``: the first place in the config with this type."""
    for path, part in _parts(config, ''):
        if part.get('type') == type_name:
            return f' (at {path})' if path else ''
    return ''


def _parts(value: Any, path: str) -> Iterator[tuple[str, Mapping]]:
    if isinstance(value, Mapping):
        yield path, value
        children = [(f'{path}.{key}' if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        children = [(f'{path}[{index}]', item) for index, item in enumerate(value)]
    else:
        return
    for place, item in children:
        yield from _parts(item, place)


def _frames(error: BaseException) -> list[FrameType]:
    frames, step = [], error.__traceback__
    while step is not None:
        frames.append(step.tb_frame)
        step = step.tb_next
    return frames


def _module(frame: FrameType) -> str:
    return frame.f_globals.get('__name__', '')


def _name(built: Any) -> str:
    return getattr(built, '__name__', str(built))
