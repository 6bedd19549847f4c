"""Functions in processes of their own, forked from a server that has imported torch, so that they start at once."""

import multiprocessing
from typing import Any, Callable

CONTEXT = multiprocessing.get_context('forkserver')
PRELOADED = ['torch', 'mmengine.runner', 'leokit.engine', 'leokit.datasets', 'engine.toys']
TIMEOUT = 120


def start_process(target: Callable, *args: Any):
    """Start a function in a new process that may have children."""
    CONTEXT.set_forkserver_preload(PRELOADED)
    process = CONTEXT.Process(target=target, args=args, daemon=False)
    process.start()
    return process


def run_process(target: Callable, *args: Any) -> int:
    """Run a function in a new process; returns the exit status (negative: a signal)."""
    process = start_process(target, *args)
    process.join(TIMEOUT)
    assert process.exitcode is not None, 'the process hangs'
    return process.exitcode


def call_in_process(target: Callable, *args: Any) -> Any:
    """The result of a function in a new process, which must end without an error."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    with receiver:
        with sender:
            process = start_process(_send_result, sender, target, args)
        assert receiver.poll(TIMEOUT), 'the process hangs'
        try:
            result = receiver.recv()  # before the process has ended: a large result does not fit into the pipe
        except EOFError:
            result = None
        process.join(TIMEOUT)
        assert process.exitcode == 0, f'the process ended with status {process.exitcode}'
        return result


def _send_result(sender, target: Callable, args: tuple) -> None:
    sender.send(target(*args))
