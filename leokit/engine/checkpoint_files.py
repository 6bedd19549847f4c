"""Checkpoints of a work dir: the newest readable one, and the one that a run starts from.

``last_checkpoint`` holds the file name of the newest checkpoint and is written after it, so it never names a partial
file. If that file is damaged or missing, the numbered checkpoints are tried from newest to oldest.
"""

import logging
import re
from pathlib import Path
from typing import Any, Callable, NamedTuple

from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint
from leokit.utils.files import write_bytes
from leokit.utils.model_folder import find_model

LAST_CHECKPOINT = 'last_checkpoint'
MAX_NAME = 100  # characters of a file name in a message
NUMBERED = re.compile(r'iter_(\d+)\.pth')  # unfinished files (iter_10.part.pth) do not match


class StartCheckpoint(NamedTuple):
    """A checkpoint that a run starts from; ``resume`` is False if only its weights are used."""

    path: Path
    checkpoint: dict[str, Any]
    resume: bool


def checkpoints_by_iteration(work_dir: str | Path) -> dict[int, Path]:
    """The files ``iter_<number>.pth`` of a folder by iteration, newest first."""
    work_dir = Path(work_dir)
    files = work_dir.iterdir() if work_dir.is_dir() else ()
    found = {int(match[1]): file for file in files if (match := NUMBERED.fullmatch(file.name))}
    return dict(sorted(found.items(), reverse=True))


def checkpoint_name(iteration: int) -> str:
    """File name of the checkpoint after ``iteration`` iterations."""
    return f'iter_{iteration}.pth'


def write_last_checkpoint(path: str | Path) -> None:
    """Record a complete checkpoint as the newest of its folder."""
    path = Path(path)
    write_bytes(path.parent / LAST_CHECKPOINT, path.name.encode())


def newest_checkpoint(work_dir: str | Path, warn: Callable[[str], None]) -> tuple[Path, dict[str, Any]] | None:
    """Read the newest undamaged checkpoint of a folder; ``warn`` is called with a message for each damaged one.

    Returns:
        tuple[Path, dict] | None: The file and its content; None if the folder holds no checkpoint.
    """
    work_dir = Path(work_dir)
    candidates = list(checkpoints_by_iteration(work_dir).values())
    marker = work_dir / LAST_CHECKPOINT
    if marker.is_file():
        named = marker.read_bytes().decode(errors='replace').strip()
        last = [path for path in work_dir.iterdir() if path.name == Path(named).name]
        if named and not last:
            warn(f'skipped: {marker} names {named[:MAX_NAME]!r}, which is not there')
        candidates = [*last, *(path for path in candidates if path not in last)]
    for path in candidates:
        try:
            return path, load_checkpoint(path)
        except UserError as error:
            warn(f'skipped: {error}')
    if candidates:
        raise UserError(f'none of the checkpoints in {work_dir} can be read; pass another --work-dir to start over')
    return None


def find_start_checkpoint(resume: bool | str | None, load_from: str | Path | None, work_dir: str | Path, *,
                          logger: logging.Logger, training: bool = True) -> StartCheckpoint | None:
    """Find and read the checkpoint to start from.

    Args:
        resume (bool | str | None): ``'auto'`` resumes the newest checkpoint of the work dir; if there is none,
            ``load_from`` applies. A path resumes that file, or the newest checkpoint of that folder. True resumes
            ``load_from`` if it is given (as in MMEngine), else it means ``'auto'``.
        load_from (str | Path | None): A checkpoint to take the weights from, or a work dir with checkpoints.
        work_dir (str | Path): The folder of the run.
        logger (Logger): Receives warnings about damaged files.
        training (bool): True if the run writes checkpoints; it must not overwrite those of another training.

    Returns:
        StartCheckpoint | None: None to start from the model's own initialization.
    """
    if resume is True and load_from is not None:
        resume = str(load_from)
    if isinstance(resume, (str, Path)) and resume != 'auto':
        return _from_path(resume, 'resume', True, logger)
    if resume:
        newest = newest_checkpoint(work_dir, logger.warning)
        if newest is not None:
            return StartCheckpoint(*newest, True)
        logger.info(f'{work_dir} holds no checkpoint to resume; starting a new training')
    elif training and (found := checkpoints_by_iteration(work_dir)):
        raise UserError(f'{work_dir} already holds checkpoints ({next(iter(found.values())).name}); '
                        f'pass --resume to continue from there, or another --work-dir')
    if load_from is None:
        return None
    if not find_model(load_from) and not Path(load_from).exists():
        remedy = ('it is what load_from names: train it first, or pass another as --cfg-options load_from=PATH'
                  if training else 'pass a checkpoint, or a work dir that holds one')
        raise UserError(f'the checkpoint {load_from} does not exist; {remedy}')
    return _from_path(load_from, 'load_from', False, logger)


def _from_path(path: str | Path, key: str, resume: bool, logger: logging.Logger) -> StartCheckpoint:
    if find_model(path) or not Path(path).is_dir():
        return StartCheckpoint(Path(path), load_checkpoint(path), resume)
    newest = newest_checkpoint(path, logger.warning)
    if newest is None:
        raise UserError(f'{key}={path} is a folder without checkpoints; name another one, or a file')
    return StartCheckpoint(*newest, resume)


def make_work_dir(work_dir: str | Path) -> None:
    """Create the folder of a run."""
    try:
        Path(work_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'the work dir {work_dir} cannot be created ({error.strerror}); '
                        f'pass another --work-dir') from error
