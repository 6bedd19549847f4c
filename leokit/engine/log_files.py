"""Logs that cannot be written for a while (a full disk, a quota) do not end the training that they describe."""

import contextlib
import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.fileio import dump
from mmengine.visualization import Visualizer
from mmengine.visualization.vis_backend import BaseVisBackend, LocalVisBackend

from leokit.utils.files import write_bytes

WRITING_METHODS = ('add_config', 'add_graph', 'add_image', 'add_scalar', 'add_scalars')


def tolerate_visualizer_errors(visualizer: Visualizer, logger: logging.Logger) -> None:
    """Turn what the operating system says about the files of a visualizer into one warning."""
    for backend in visualizer._vis_backends.values():
        _tolerate(backend, logger)


def tolerate_logger_errors(logger: logging.Logger) -> None:
    """Let handlers drop what cannot be written, instead of printing a traceback for every line.

    A log file may be on a full disk, and the console a pipe that has been closed (``| head``).
    ``logging.config``, which web servers call, closes all log files: the next line opens them again, and their folder
    may be gone.
    """
    for handler in logger.handlers:
        handler.handleError = _ignore
        if isinstance(handler, logging.FileHandler):
            handler.emit = functools.partial(_emit, handler.emit)


def remove_partial_configs(work_dir: str | Path) -> None:
    """Remove what killed runs left of the config that they were writing."""
    for part in Path(work_dir).glob('*/vis_data/*.part.py'):
        with contextlib.suppress(OSError):
            part.unlink()


def append_json_line(values: dict[str, Any], path: str | Path) -> None:
    """Append a line to a file, or nothing at all if the disk is full: half a line would spoil the next one."""
    content = memoryview(dump(values, file_format='json').encode() + b'\n')
    with open(path, 'ab', buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            while content:
                content = content[file.write(content):]
        except OSError:
            file.truncate(size)
            raise


def _write_config(backend: LocalVisBackend, config: Config, **kwargs: Any) -> None:
    text = config.pretty_text  # formatted first: that takes a second, in which a kill would leave an empty file
    write_bytes(backend.experiment._config_save_file, text.encode())


def _tolerate(backend: BaseVisBackend, logger: logging.Logger) -> None:
    if isinstance(backend, LocalVisBackend):
        backend._dump = lambda values, path, file_format: append_json_line(values, path)
        backend.add_config = functools.partial(_write_config, backend)
    warned: list[bool] = []

    def tolerant(method: Callable) -> Callable:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> None:
            try:
                method(*args, **kwargs)
                warned.clear()
            except OSError as error:
                if not warned:
                    logger.warning(f'the log of {type(backend).__name__} cannot be written ({error}); the training '
                                   'continues without it until it can')
                warned.append(True)
        return call

    for name in WRITING_METHODS:
        setattr(backend, name, tolerant(getattr(backend, name)))


def _emit(emit: Callable[[logging.LogRecord], None], record: logging.LogRecord) -> None:
    with contextlib.suppress(OSError):
        emit(record)


def _ignore(record: logging.LogRecord) -> None:
    pass
