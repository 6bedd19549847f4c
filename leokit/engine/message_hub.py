"""State of MMEngine's message hub as plain data, and histories that grow by many values at once.

The hub keeps the histories over which the log averages. MMEngine saves them as ``HistoryBuffer`` objects, which
``weights_only`` loading refuses; here they are tensors. Only the newest values are kept, in the file and in memory:
MMEngine copies a whole history for every value that is added, which after a million iterations takes longer than a
small training step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.hooks import LoggerHook
from mmengine.logging import HistoryBuffer, MessageHub

from leokit.utils.checkpoints import is_plain

HISTORY_LENGTH = 1000  # values; far more than any log line averages over
# Facts about a run that a resumed run sets anew.
RUN_FACTS = ('cfg', 'dataset_meta', 'experiment_name', 'loop_stage', 'max_epochs', 'max_iters', 'mmengine_version',
             'seed')


def message_hub_state(hub: MessageHub) -> dict[str, Any]:
    """The state that a resumed training continues from.

    Returns:
        dict: ``log_scalars``, a dict with the tensors ``values`` and ``counts`` each; ``runtime_info``, plain values.
    """
    state = hub.state_dict()
    histories = {}
    for name, history in state['log_scalars'].items():
        values, counts = (torch.from_numpy(np.asarray(data)[-HISTORY_LENGTH:].copy()) for data in history.data)
        histories[name] = dict(values=values, counts=counts)
    facts = {name: value for name, value in state['runtime_info'].items()
             if name not in RUN_FACTS and is_plain(value)}
    return dict(log_scalars=histories, runtime_info=facts)


def load_message_hub_state(hub: MessageHub, state: dict[str, Any]) -> None:
    """Load the result of :func:`message_hub_state`; other content of the hub stays."""
    histories = {
        name: HistoryBuffer(item['values'].numpy(), item['counts'].numpy(), HISTORY_LENGTH)
        for name, item in state['log_scalars'].items()}
    names = (*histories, *state['runtime_info'])
    hub.load_state_dict(dict(log_scalars=histories, runtime_info=state['runtime_info'],
                             resumed_keys=dict.fromkeys(names, True)))


def extend_history(hub: MessageHub, name: str, values: Sequence[float]) -> None:
    """Append the values of consecutive iterations to a history, of which the newest ``HISTORY_LENGTH`` stay.

    Args:
        hub (MessageHub): The hub.
        name (str): Name of the history, such as ``'train/loss'``.
        values (Sequence[float]): At least one value, oldest first.
    """
    *earlier, newest = values
    if earlier:
        old = hub.log_scalars[name].data if name in hub.log_scalars else ((), ())
        rows = (np.concatenate((past, new))[-HISTORY_LENGTH:]
                for past, new in zip(old, (earlier, np.ones(len(earlier)))))
        hub.log_scalars[name] = HistoryBuffer(*rows, max_length=HISTORY_LENGTH)
    hub.update_scalar(name, newest)  # also marks the history as one that is saved


def bound_histories(hub: MessageHub) -> None:
    """Limit every history of a hub to the newest ``HISTORY_LENGTH`` values."""
    for history in hub.log_scalars.values():
        history.max_length = HISTORY_LENGTH


def log_interval(runner: Any, default: int) -> int:
    """Iterations between two log lines of a runner; ``default`` if it writes none."""
    return min((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), default=default)
