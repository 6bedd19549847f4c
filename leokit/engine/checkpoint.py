"""Checkpoint files: the one place that writes, reads and fits them.

A checkpoint holds plain tensors, numbers, strings and containers of these, so that
it loads with ``weights_only=True`` and no allow list on every supported torch.
Layout: ``meta`` (cfg, iter, epoch, model, conventions, leokit_version, time, ...), ``state_dict``
(the averaged weights where there is an average), ``raw_state_dict`` (the weights under
training that the average replaced), ``optimizer``, ``param_schedulers``, ``message_hub``.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from leokit.utils import UserError
from leokit.utils.files import atomic_path, sync

# Parts of a model that only training needs: a checkpoint may hold them or not.
TRAINING_ONLY = ('discriminator', 'losses')
SHOWN_KEYS = 3  # how many keys an error names
PLAIN_TYPES = (bool, int, float, str, bytes, type(None), torch.dtype, torch.Size)


def save_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write a checkpoint so that nobody ever sees half of one.

    Args:
        checkpoint (Mapping): The content; converted by :func:`to_plain`.
        path (str | Path): The file; its folder is made if needed.

    Raises:
        ValueError: If the content holds something that is not plain.
        UserError: If the file cannot be written.
    """
    path = Path(path)
    plain = to_plain(checkpoint)
    try:
        with atomic_path(path) as part:
            torch.save(plain, part)
        sync(path.parent)  # the rename itself must survive a power cut too
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise UserError(f'the checkpoint {path} cannot be written: {_first_line(error)}; '
                        f'free space there, or write to another folder') from error


def load_checkpoint(path: str | Path, map_location: str | torch.device = 'cpu') -> dict[str, Any]:
    """Read a checkpoint without running any code from it.

    Args:
        path (str | Path): The file.
        map_location (str | torch.device): Where its tensors go.

    Returns:
        dict: The content; it has at least ``state_dict``.

    Raises:
        UserError: If the file is missing, damaged, or not a checkpoint of leokit.
    """
    path = Path(path)
    checkpoint = read_plain(path, map_location, 'tools/model_converters converts weights of other projects')
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get('state_dict'), Mapping):
        raise UserError(f"{path} has no 'state_dict', so it is not a checkpoint of leokit; "
                        f'tools/model_converters converts weights of other projects')
    if 'leokit_version' in checkpoint.get('meta', {}):
        _check_sums(path)
    return checkpoint


def read_plain(path: str | Path, map_location: str | torch.device = 'cpu', remedy: str = 'use another one') -> Any:
    """Read whatever a file of plain values holds, without running any code from it.

    Args:
        path (str | Path): A file written by ``torch.save``.
        map_location (str | torch.device): Where its tensors go.
        remedy (str): What to do about a file that holds more than plain values, for the message.

    Returns:
        Any: Its content.

    Raises:
        UserError: If the file is missing, damaged, or holds more than plain values.
    """
    path = Path(path)
    if not path.is_file():
        folder = path if path.is_dir() else path.parent
        found = [file.name for file in sorted(folder.glob('*.pth'))]
        there = f'; {folder} holds {some(found)}' if found else ''
        raise UserError(f'the checkpoint {path} {"is a folder" if folder == path else "does not exist"}{there}')
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # a damaged file makes torch raise many kinds
        if isinstance(error, pickle.UnpicklingError) and zipfile.is_zipfile(path):
            raise UserError(f'{path} holds more than tensors, numbers and strings, so it is no checkpoint of leokit; '
                            f'it was not loaded, because that could run code from it; {remedy}') from error
        raise UserError(f'the checkpoint {path} is damaged or no checkpoint ({_first_line(error)}); '
                        f'use another one') from error


def _check_sums(path: Path) -> None:
    """torch writes check sums but does not look at them; a flipped bit would pass as a weight."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise UserError(f'the checkpoint {path} is damaged (wrong check sum in {damaged}); use another one')


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """Convert to tensors on the CPU, numbers, strings and containers of these.

    Args:
        value (Any): Anything made of tensors, arrays, numbers, strings, paths, mappings and sequences.
        where (str): Its name, for the message.

    Returns:
        Any: The plain twin; tensors share memory with the original where they can.

    Raises:
        ValueError: If some part has no plain twin.
    """
    if isinstance(value, Tensor):
        tensor = value.detach().cpu()
        # a view would drag its whole storage into the file
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
    """Whether :func:`to_plain` can convert ``value``."""
    try:
        to_plain(value)
    except (ValueError, TypeError):  # TypeError: arrays of objects
        return False
    return True


def load_weights(model: nn.Module, state_dict: Mapping[str, Tensor], *, source: str, strict: bool = True,
                 optional: Sequence[str] = (), meta: Mapping[str, Any] | None = None) -> list[str]:
    """Load all of a state dict into a model, or nothing.

    Args:
        model (nn.Module): The model, not wrapped.
        state_dict (Mapping[str, Tensor]): The weights.
        source (str): Where they come from, for the message.
        strict (bool): False loads whatever fits.
        optional (Sequence[str]): Names of modules, at any depth, whose keys may be missing or left over.
        meta (Mapping, optional): The checkpoint's ``meta``: its conventions are checked, the rest is for the message.

    Returns:
        list[str]: Keys that were missing, left over or of another size, and allowed to be.

    Raises:
        UserError: If keys, sizes or conventions do not fit.
    """
    own = model.state_dict()
    missing = [key for key in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in own]
    resized = [key for key in own if key in state_dict and own[key].shape != state_dict[key].shape]
    tolerated = [key for key in (*missing, *unexpected, *resized) if not strict or in_modules(key, optional)]
    missing, unexpected, resized = (
        [key for key in keys if not in_modules(key, optional)] for keys in (missing, unexpected, resized))
    if strict and (missing or unexpected or resized):
        sizes = [f'{key}: {tuple(state_dict[key].shape)} there, {tuple(own[key].shape)} here' for key in resized]
        parts = [f'{len(keys)} {label} ({some(keys)})' for label, keys in (
            ('keys are missing', missing), ('are unexpected', unexpected), ('have another size', sizes)) if keys]
        raise UserError(f'{source} does not fit the model: {"; ".join(parts)}; '
                        f'{_likely_cause(model, own, state_dict, meta or {})}')
    if strict:
        _check_conventions(conventions(model), (meta or {}).get('conventions', {}), source)
    left_out = set(tolerated)
    model.load_state_dict({key: state_dict[key] for key in own if key not in left_out}, strict=False)
    return tolerated


def in_modules(key: str, modules: Sequence[str]) -> bool:
    """Whether a state-dict key lies in one of the named modules, at any depth."""
    return any(f'.{name}.' in f'.{key}' for name in modules)


def conventions(model: nn.Module) -> dict[str, Any]:
    """What a model's weights rely on and do not show, such as the grid that flows are added to.

    Args:
        model (nn.Module): A model; any module of it may have an attribute ``conventions``, a dict of plain values.

    Returns:
        dict[str, Any]: All of them.
    """
    found: dict[str, Any] = {}
    for module in model.modules():
        found.update(getattr(module, 'conventions', {}))
    return found


def _check_conventions(own: Mapping[str, Any], other: Mapping[str, Any], source: str) -> None:
    for name, value in own.items():
        if other.get(name, value) != value:
            raise UserError(f'{source} was trained with {name}={other[name]!r}, but the config builds a model with '
                            f'{name}={value!r}, which would use its weights wrongly; '
                            f'set {name} to {other[name]!r} in the config')


def _likely_cause(model: nn.Module, own: Mapping[str, Tensor], other: Mapping[str, Tensor],
                  meta: Mapping[str, Any]) -> str:
    name = type(model).__name__
    if meta.get('model', name) != name:
        return f'it is a checkpoint of {meta["model"]}, and the config builds {name}'
    sizes = {key: meta[key] for key in ('size', 'appearance_dim', 'motion_dim') if key in meta}
    if sizes:  # of a converted checkpoint, which no config was written for
        return f'it was made for {", ".join(f"{key}={value}" for key, value in sizes.items())}: set these in the config'
    prefixes = [prefix for prefix in ('module.', '_orig_mod.') if all(key.startswith(prefix) for key in other)]
    if prefixes:
        return f'all its keys begin with {prefixes[0]!r}: it was saved from a wrapped model; strip the prefix first'
    if not set(own) & set(other):
        return f'not one key is shared, so it is most likely a checkpoint of another model than {name}'
    return 'most likely the config differs from the one it was trained with, which is saved in its work dir'


def some(items: Sequence[str]) -> str:
    """The first few of many names, for a message."""
    shown = ', '.join(items[:SHOWN_KEYS])
    return f'{shown}, ...' if len(items) > SHOWN_KEYS else shown


def _first_line(error: BaseException) -> str:
    text = re.split(r'\n|\. ', str(error).strip(), maxsplit=1)[0]
    return text or type(error).__name__
