"""MMEngine's message hub as plain data, and back.

The hub keeps the histories that the log smooths over. MMEngine saves them as
``HistoryBuffer`` objects, which ``weights_only`` loading refuses; here they are
tensors. Only the newest values are kept, both in the file and in memory: MMEngine
copies a whole history at every update, which after a million iterations costs more
than a small training step.
"""

from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from leokit.utils.checkpoints import is_plain

HISTORY_LENGTH = 1000  # many times the window that any log line averages over
# Facts about a run, not about the training: a resumed run has its own.
RUN_FACTS = ('cfg', 'dataset_meta', 'experiment_name', 'loop_stage', 'max_epochs', 'max_iters', 'mmengine_version',
             'seed')


def message_hub_state(hub: MessageHub) -> dict[str, Any]:
    """The resumable content of a hub.

    Args:
        hub (MessageHub): The hub of a runner.

    Returns:
        dict: ``log_scalars`` with a ``values`` and a ``counts`` tensor each, ``runtime_info`` of plain values.
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
    """Put packed content back, so that smoothing and remaining time go on where they stopped.

    Args:
        hub (MessageHub): The hub of the resumed runner; other content of it stays.
        state (dict): What :func:`message_hub_state` gave.
    """
    histories = {
        name: HistoryBuffer(item['values'].numpy(), item['counts'].numpy(), HISTORY_LENGTH)
        for name, item in state['log_scalars'].items()}
    names = (*histories, *state['runtime_info'])
    hub.load_state_dict(dict(log_scalars=histories, runtime_info=state['runtime_info'],
                             resumed_keys=dict.fromkeys(names, True)))


def bound_histories(hub: MessageHub) -> None:
    """Let every history of a hub forget what is older than ``HISTORY_LENGTH`` values."""
    for history in hub.log_scalars.values():
        history.max_length = HISTORY_LENGTH
