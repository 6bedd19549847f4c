"""State of optimizer and parameter schedulers, as plain data."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper, _ParamScheduler

from leokit.utils import UserError
from leokit.utils.checkpoints import is_plain

Schedulers = list[_ParamScheduler] | dict[str, list[_ParamScheduler]] | None
RESUME_ENTRIES = {'optimizer', 'message_hub', 'param_schedulers'}
# Entries of a scheduler's state that change while it runs; all others come from the config.
PROGRESS = ('last_step', '_global_step', '_last_value', 'base_values')


def check_resumable(checkpoint: Mapping[str, Any], source: str) -> None:
    """Raise for a checkpoint from which a training cannot be continued: weights only, or damaged entries."""
    if not RESUME_ENTRIES <= checkpoint.keys():
        raise UserError(f'{source} holds weights only and cannot be resumed; start from it with load_from, or resume '
                        f'an iter_*.pth')
    meta, hub = checkpoint['meta'], checkpoint['message_hub']
    sound = {
        'meta.iter': _is_count(meta.get('iter')), 'meta.epoch': _is_count(meta.get('epoch')),
        'meta.seed': meta.get('seed') is None or _is_count(meta['seed']),
        'optimizer': isinstance(checkpoint['optimizer'], Mapping),
        'param_schedulers': isinstance(checkpoint['param_schedulers'], (Mapping, list, tuple)),
        'message_hub': isinstance(hub, Mapping) and all(
            isinstance(hub.get(key), Mapping) for key in ('log_scalars', 'runtime_info'))}
    damaged = [key for key, good in sound.items() if not good]
    if damaged:
        raise UserError(f'{source} cannot be resumed: its {damaged[0]} is missing or damaged; resume another '
                        'checkpoint, or start from its weights with load_from')


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def scheduler_states(schedulers: Schedulers) -> Any:
    """The states of parameter schedulers, without the functions that their constructors set.

    Args:
        schedulers (list | dict | None): As MMEngine's Runner holds them.

    Returns:
        list | dict: One plain dict per scheduler, in the same structure.
    """
    if isinstance(schedulers, Mapping):
        return {name: scheduler_states(items) for name, items in schedulers.items()}
    return [{key: _without_counter(value) for key, value in scheduler.state_dict().items() if is_plain(value)}
            for scheduler in schedulers or ()]


def restore_schedulers(schedulers: Schedulers, states: Any, source: str) -> list[str]:
    """Load the result of :func:`scheduler_states` into newly built schedulers.

    Args:
        schedulers (list | dict | None): The schedulers.
        states (list | dict): Their states.
        source (str): The checkpoint, for error messages.

    Returns:
        list[str]: Settings that differ between checkpoint and config; those of the checkpoint are used.
    """
    if isinstance(schedulers, Mapping):
        return [note for name, items in schedulers.items()
                for note in restore_schedulers(items, states.get(name, []), source)]
    schedulers = schedulers or []
    if len(schedulers) != len(states):
        raise UserError(f'{source} has {len(states)} parameter schedulers, the config has {len(schedulers)}; resume '
                        f'with the same param_scheduler, or start from its weights with load_from')
    notes = []
    for scheduler, state in zip(schedulers, states):
        own = scheduler.state_dict()
        notes += [f'{type(scheduler).__name__}.{key}={state[key]} (not {own[key]})' for key in sorted(state)
                  if key not in PROGRESS and isinstance(state[key], (int, float)) and state[key] != own.get(key)]
        scheduler.load_state_dict(state)
    return notes


def restore_optimizer(wrapper: OptimWrapper, state: dict[str, Any], source: str) -> None:
    """Load the state of the optimizer into a newly built wrapper; ``source`` names the checkpoint in errors."""
    try:
        wrapper.load_state_dict(state)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"the optimizer's state in {source} does not fit the config's optim_wrapper ({error}); resume "
                        f'with the same one, or start from its weights with load_from') from error


def _without_counter(value: Any) -> Any:
    # MultiStepLR keeps its milestones in a Counter, which weights_only loading refuses; a dict serves as well
    return dict(value) if isinstance(value, Mapping) else value
