"""Optimizer and parameter schedulers as plain data, and back."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper, _ParamScheduler

from leokit.utils import UserError
from leokit.utils.checkpoints import is_plain

Schedulers = list[_ParamScheduler] | dict[str, list[_ParamScheduler]] | None
# What a scheduler changes while it runs; everything else of its state comes from the config.
PROGRESS = ('last_step', '_global_step', '_last_value', 'base_values')


def scheduler_states(schedulers: Schedulers) -> Any:
    """The states of parameter schedulers, without the functions that their constructors make again.

    Args:
        schedulers (list | dict | None): As MMEngine's Runner holds them.

    Returns:
        list | dict: One plain dict per scheduler, in the same arrangement.
    """
    if isinstance(schedulers, Mapping):
        return {name: scheduler_states(items) for name, items in schedulers.items()}
    return [{key: _without_counter(value) for key, value in scheduler.state_dict().items() if is_plain(value)}
            for scheduler in schedulers or ()]


def restore_schedulers(schedulers: Schedulers, states: Any, source: str) -> list[str]:
    """Put packed states back.

    Args:
        schedulers (list | dict | None): Freshly built schedulers.
        states (list | dict): What :func:`scheduler_states` gave.
        source (str): The checkpoint, for the message.

    Returns:
        list[str]: Settings that the config has otherwise than the checkpoint, whose schedule goes on.

    Raises:
        UserError: If the config has other schedulers than the checkpoint.
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
    """Put the optimizer's state back.

    Args:
        wrapper (OptimWrapper): The freshly built wrapper.
        state (dict): Its plain state.
        source (str): The checkpoint, for the message.

    Raises:
        UserError: If the optimizer of the config has other parameters.
    """
    try:
        wrapper.load_state_dict(state)
    except (ValueError, KeyError) as error:
        raise UserError(f"the optimizer's state in {source} does not fit the config's optim_wrapper ({error}); resume "
                        f'with the same one, or start from its weights with load_from') from error


def _without_counter(value: Any) -> Any:
    """MultiStepLR keeps its milestones in a Counter; a dict serves it as well and is plain everywhere."""
    return dict(value) if isinstance(value, Mapping) else value
