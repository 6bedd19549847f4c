"""Writing and reading of checkpoint files.

A checkpoint holds plain tensors, numbers, strings and containers of these, so that it loads with ``weights_only=True``
and without an allow list in every supported version of torch. Its entries are ``meta`` (cfg, iter, epoch, model,
conventions, leokit_version, time, ...), ``state_dict`` (the averaged weights, if weights are averaged),
``raw_state_dict`` (then, the weights under training), ``optimizer``, ``param_schedulers``, ``message_hub``.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.serialization import safe_globals

from leokit.utils.errors import UserError, format_list
from leokit.utils.files import atomic_path, sync
from leokit.utils.model_folder import find_model

PLAIN_TYPES = (bool, int, float, str, bytes, type(None), torch.dtype, torch.Size)

NAMES_FILE = 'directions.json'  # names of directions of the motion space, next to a checkpoint
META_DICTS = ('conventions', 'data')
MAX_EXPANSION = 4  # size of an archive's members over its own


class CheckpointWriteError(UserError):
    """A checkpoint could not be written, because of the disk and not because of its content."""


def save_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write a checkpoint atomically.

    Args:
        checkpoint (Mapping): The content, converted by :func:`to_plain`.
        path (str | Path): The file; missing folders are created.

    Raises:
        CheckpointWriteError: The disk is full or refuses.
    """
    path = Path(path)
    plain = to_plain(checkpoint)
    try:
        with atomic_path(path) as part:
            torch.save(plain, part)
        sync(path.parent)  # so that the rename survives a power failure
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise CheckpointWriteError(f'the checkpoint {path} cannot be written: {_first_line(error)}; '
                        f'free space there, or write to another folder') from error


def load_checkpoint(path: str | Path, map_location: str | torch.device = 'cpu') -> dict[str, Any]:
    """Read a checkpoint of leokit, or a model of a model folder, without running code from it.

    Args:
        path (str | Path): A file, or what :func:`~leokit.utils.model_folder.find_model` finds.
        map_location (str | torch.device): The device of its tensors.

    Returns:
        dict: At least ``state_dict``.
    """
    model = find_model(path)
    if model is not None:
        return model.checkpoint(map_location)
    path = Path(path)
    checkpoint = read_plain(path, map_location, 'leokit convert converts weights of LIA')
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get('state_dict'), Mapping):
        raise UserError(f"{path} has no 'state_dict', so it is not a checkpoint of leokit; "
                        'leokit convert converts weights of LIA')
    problem = _content_problem(checkpoint)
    if problem:
        raise UserError(f'the checkpoint {path} is damaged: {problem}; use another one')
    checkpoint['meta'] = checkpoint.get('meta') or {}
    if 'leokit_version' in checkpoint['meta'] and zipfile.is_zipfile(path):
        _verify_checksums(path)
    return checkpoint


def _content_problem(checkpoint: Mapping[str, Any]) -> str:
    meta = checkpoint.get('meta') or {}
    for key, part in dict(meta=meta, **{f'meta.{key}': isinstance(meta, Mapping) and meta.get(key) or {}
                                        for key in META_DICTS}).items():
        if not isinstance(part, Mapping):
            return f'its {key} is no dict'
    for entry in ('state_dict', 'raw_state_dict'):
        weights = checkpoint.get(entry) or {}
        if not isinstance(weights, Mapping):
            return f'its {entry} is no dict'
        for key, value in weights.items():
            usable = isinstance(value, Tensor) and value.layout is torch.strided and not value.is_meta
            if not (isinstance(key, str) and usable):
                return f'its {entry} holds {key!r}, which is no named tensor with values'
    return ''


def read_plain(path: str | Path, map_location: str | torch.device = 'cpu', remedy: str = 'use another one', *,
               allowed: Sequence[type] = ()) -> Any:
    """Read a file of plain values without running code from it.

    Args:
        path (str | Path): A file written by ``torch.save``.
        map_location (str | torch.device): The device of its tensors.
        remedy (str): Advice for a file that holds other than plain values, for the error message.
        allowed (Sequence[type]): Classes of other values that may occur; they must only hold attributes.
    """
    path = Path(path)
    if not path.is_file():
        folder = path if path.is_dir() else path.parent
        found = [file.name for file in sorted(folder.glob('*.pth'))]
        others = f'; {folder} holds {format_list(found)}' if found else ''
        raise UserError(f'the checkpoint {path} {"is a folder" if folder == path else "does not exist"}{others}; '
                        'pass a file')
    _check_size(path)
    try:
        with safe_globals(list(allowed)):
            return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # torch raises many types for damaged files
        if isinstance(error, pickle.UnpicklingError) and zipfile.is_zipfile(path):
            raise UserError(f'{path} holds more than tensors, numbers and strings, so it is not a checkpoint of '
                            f'leokit; it was not loaded, because that could run code from it; {remedy}') from error
        raise UserError(f'the checkpoint {path} is damaged or not a checkpoint ({_first_line(error)}); '
                        f'use another one') from error


def _check_size(path: Path) -> None:
    """Raise for an archive that unpacks to far more than its size; torch writes tensors uncompressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):  # torch.load says what is wrong
        return
    if size > MAX_EXPANSION * path.stat().st_size:
        raise UserError(f'the checkpoint {path} is compressed and would take {size / 2**30:.1f} GiB; torch writes no '
                        'such files, so it was not loaded; use another one')


def _verify_checksums(path: Path) -> None:
    # torch writes checksums but does not verify them, so a flipped bit would go unnoticed
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise UserError(f'the checkpoint {path} is damaged (wrong checksum in {damaged}); use another one')


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """Convert to tensors on the CPU, numbers, strings and containers of these.

    Args:
        value (Any): Tensors, arrays, numbers, strings, paths, and mappings and sequences of these.
        where (str): Its name, for error messages.

    Returns:
        Any: The plain form; tensors on the CPU are not copied.

    Raises:
        ValueError: If it holds something else.
    """
    if isinstance(value, Tensor):
        tensor = value.detach().cpu()
        # torch.save writes the whole storage of a view
        return tensor.clone() if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, PLAIN_TYPES):
        return value
    if isinstance(value, Mapping):
        return {to_plain(key, where): to_plain(item, f'{where}.{key}') for key, item in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        items = [to_plain(item, f'{where}[{index}]') for index, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    raise ValueError(f'{where} is a {type(value).__name__}, which a checkpoint cannot hold; '
                     f'it holds tensors, numbers, strings and containers of these')


def is_plain(value: Any) -> bool:
    """True if :func:`to_plain` can convert ``value``."""
    try:
        to_plain(value)
    except (ValueError, TypeError):  # TypeError: arrays of objects
        return False
    return True


def _first_line(error: BaseException) -> str:
    text = re.split(r'\n|\. ', str(error).strip(), maxsplit=1)[0]
    return text or type(error).__name__
