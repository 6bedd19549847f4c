"""Mistakes in a whole config as one sentence: its top-level keys, and what MMEngine's Runner builds from them."""

import difflib
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS, Registry
from torch import nn

from leokit.registry import ROOTS
from leokit.utils.build_errors import (
    CURRENT_CONFIG, HINT, WRONG_CALL, as_user_error, explain_mistake, unknown_type, wrong_argument)
from leokit.utils.config import RUNNER_KEYS
from leokit.utils.errors import UserError, suggest

CO_REQUIRED_KEYS = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'))
MAX_BATCH_SIZE = 2**20  # per process; beyond this a number is a mistake
MAX_WORKERS = 4096
SIMILARITY_CUTOFF = 0.88  # likeness from which a top-level key counts as a misspelled one of the Runner's
# Methods of MMEngine's Runner that hand values of the config to torch, numpy or logging, and what they build.
RUNNER_STEPS = dict(build_dataloader='a data loader', build_optim_wrapper='optim_wrapper', setup_env='env_cfg',
                    set_randomness='randomness', build_logger='log_level', _check_scheduler_cfg='param_scheduler')
FRAMEWORKS = ('mmengine', 'torch', 'numpy', 'multiprocessing', 'random', 'logging')
PASSED_THROUGH = 'leokit.utils.manager_locks'  # a wrapper around MMEngine's own methods


def check_config_keys(config: Mapping[str, Any]) -> None:
    """Raise UserError for a misspelled or missing top-level key.

    Keys that the runner does not read are allowed: they serve references.
    """
    for key in config:
        meant = difflib.get_close_matches(key, RUNNER_KEYS, 1, SIMILARITY_CUTOFF)
        if key not in RUNNER_KEYS and meant and meant[0] not in config:
            raise UserError(f'the config key {key!r} is used by nothing; rename it to {meant[0]!r}')
    if 'model' not in config:
        raise UserError(f"the config has no 'model'{suggest('model', config)}")
    if not isinstance(config['model'], (Mapping, nn.Module)):
        raise UserError(f'the config key model must be a dict with a type, as in model=dict(type=...), got '
                        f'{config["model"]!r}')
    from mmengine.hooks import Hook  # imports all optimizers
    hooks = config.get('custom_hooks') or ()
    if not isinstance(hooks, (list, tuple)) or not all(isinstance(hook, (Mapping, Hook)) for hook in hooks):
        raise UserError(f"the config key custom_hooks must be a list of dicts, as in [dict(type='EMAHook')], got "
                        f'{hooks!r}')
    for part in ('train', 'val', 'test'):
        check_dataloader(f'{part}_dataloader', config.get(f'{part}_dataloader'))
    for group in CO_REQUIRED_KEYS:
        absent = [key for key in group if config.get(key) is None]
        if absent and len(absent) < len(group):
            raise UserError(f'the config has {", ".join(sorted(set(group) - set(absent)))} but no {absent[0]!r}'
                            f'{suggest(absent[0], set(config) - set(RUNNER_KEYS))}; these go together')


def check_dataloader(key: str, config: Any) -> None:
    """Raise UserError for numbers of a data loader's config that torch reports late, or runs out of memory with."""
    if not isinstance(config, Mapping):
        return
    for name, smallest, largest in (('batch_size', 1, MAX_BATCH_SIZE), ('num_workers', 0, MAX_WORKERS)):
        value = config.get(name, smallest)
        if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
            raise UserError(f'{key}.{name} must be an integer from {smallest} to {largest}, got {value!r}')


@contextmanager
def explain_build_errors(config: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Explain mistakes of a config that MMEngine's Runner and registries meet inside this block.

    leokit's own registries always raise :class:`UserError`; inside the block MMEngine's do as well, and the messages
    say where in the config the mistake is.

    Args:
        config (Mapping, optional): The whole config.
    """
    token = CURRENT_CONFIG.set(config.to_dict() if isinstance(config, Config) else config or {})
    build_functions = {root: root.build_func for root in ROOTS}
    for root, build in build_functions.items():
        root.build_func = partial(_build_from_root, build)
    try:
        with as_user_error(_explain_runner_step):
            yield
    finally:
        for root, build in build_functions.items():
            root.build_func = build
        CURRENT_CONFIG.reset(token)


def _build_from_root(build: Callable, cfg: Any, *args: Any, registry: Registry, **options: Any) -> Any:
    # the inner one first: a registry builds the training loop, whose data loader the Runner builds
    with as_user_error(explain_mistake(cfg, registry)), as_user_error(_explain_runner_step):
        return build(cfg, *args, registry=registry, **options)


def _explain_runner_step(error: Exception) -> str | None:
    """The sentence about a value that the Runner itself passes on, past any registry, if the error is about one."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [frame.f_globals.get('__name__', '') for frame in frames]
    calls = [(index, frame.f_code.co_name) for index, frame in enumerate(frames)
             if modules[index] == 'mmengine.runner.runner']
    call = WRONG_CALL.match(str(error)) if isinstance(error, TypeError) else None
    if call is not None and calls and calls[-1][0] == len(frames) - 1 and calls[-1][1].startswith('build'):
        owner = call['callee'].partition('.')[0]  # DataLoader, ValLoop: classes that the Runner calls without registry
        return wrong_argument(call, owner, frames[-1].f_globals.get(owner))
    steps = [(index, name) for index, name in calls if name in RUNNER_STEPS]
    if not steps:
        return None
    index, step = steps[-1]
    if step == 'build_optim_wrapper':  # MMEngine inspects the class of an optimizer before it checks its name
        kind = (CURRENT_CONFIG.get() or {}).get('optim_wrapper', {}).get('optimizer', {}).get('type')
        if isinstance(kind, str) and kind not in OPTIMIZERS:
            return unknown_type(kind, OPTIMIZERS)
    if any(module.partition('.')[0] not in FRAMEWORKS for module in modules[index:] if module != PASSED_THROUGH):
        return None  # a failure in other code, such as a dataset
    return f'{RUNNER_STEPS[step]} cannot be built: {error}{HINT}'
