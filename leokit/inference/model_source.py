"""Finding the config and the checkpoint of a model, from what a user may name."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log

from leokit.engine.checkpoint_files import newest_checkpoint
from leokit.utils import UserError, load_checkpoint
from leokit.utils.config import read_config
from leokit.utils.config_data import config_from_checkpoint
from leokit.utils.model_folder import find_model
from leokit.utils.registered_types import check_registered

CHECKPOINT_SUFFIXES = ('.pth', '.pt')


class ModelSource(NamedTuple):
    """The config of a model, and the file and content of its checkpoint if there is one."""

    name: str  # for error messages
    config: Config
    file: Path | None = None
    content: dict[str, Any] | None = None


def find_source(name_or_config: str | Path | Config, checkpoint: str | Path | None,
                options: Mapping[str, Any] | None) -> ModelSource:
    """Config and checkpoint of a model; see :func:`leokit.load` for the arguments."""
    options = dict(options or {})
    model = find_model(name_or_config)
    if model is not None and model.part is not None and checkpoint is None:
        checkpoint = model.path
    elif model is None and not isinstance(name_or_config, Config):
        path = Path(name_or_config)
        if path.is_dir():
            return _work_dir_source(path, checkpoint, options)
        if path.suffix in CHECKPOINT_SUFFIXES:
            if checkpoint is not None and Path(checkpoint) != path:
                raise UserError(f'two checkpoints were given, {path} and {checkpoint}; pass one of them')
            content = load_checkpoint(path)
            return ModelSource(str(path), _carried_config(content, path, options), path, content)
    config = read_config(name_or_config, options)
    name = str(config.filename or 'the config')
    if checkpoint is None:
        return ModelSource(name, config)
    if is_leo_config(config):
        raise UserError(f'{name} names its checkpoints; leave {checkpoint} out, or pass the config of a single model')
    # read before the model is built, which takes longer
    return ModelSource(name, config, *_read_checkpoint(checkpoint, (config.get('model') or {}).get('type')))


def config_and_checkpoint(name: str | Path, checkpoint: str | Path | None,
                          options: Mapping[str, Any] | None) -> tuple[Config, str | Path | None]:
    """The config of a model for a tool that reads more from it than the model, and the checkpoint to load with it.

    Args:
        name, checkpoint, options: As of :func:`leokit.load`: a work dir and a checkpoint carry their config.

    Returns:
        tuple[Config, str | Path | None]: The checkpoint is None for a config alone, such as that of LEO.
    """
    model = find_model(name)
    if model is None and carries_config(name):
        source = find_source(name, checkpoint, options)
        return source.config, source.file
    if model is not None and model.part is not None and checkpoint is None:
        checkpoint = model.path
    return read_config(name, dict(options or {})), checkpoint


def carries_config(name: str | Path) -> bool:
    """Whether this is a trained model with its config: a work dir, a checkpoint, or a model of a model folder."""
    model = find_model(name)
    if model is not None:
        return model.part is not None
    return Path(name).is_dir() or Path(name).suffix in CHECKPOINT_SUFFIXES


def saved_config(work_dir: str | Path) -> Path | None:
    """The config that the last training in a work dir saved there."""
    saved = sorted(Path(work_dir).glob('*.py'), key=lambda path: path.stat().st_mtime)
    return saved[-1] if saved else None


def _work_dir_source(work_dir: Path, checkpoint: str | Path | None, options: dict[str, Any]) -> ModelSource:
    file, content = _read_checkpoint(checkpoint or work_dir)
    saved = saved_config(work_dir)
    if saved is not None:
        return ModelSource(str(saved), read_config(saved, options), file, content)
    return ModelSource(str(file), _carried_config(content, file, options), file, content)


def is_leo_config(config: Mapping[str, Any]) -> bool:
    """Whether a config names trained models instead of building one."""
    return 'model' not in config and bool(config.get('animator'))


def checkpoint_file(path: str | Path) -> Path:
    """A checkpoint, the newest undamaged one of a work dir, or the path of a model of a model folder."""
    model = find_model(path)
    if model is not None:
        return model.path
    return _read_newest(path)[0] if Path(path).is_dir() else Path(path)


def _read_checkpoint(path: str | Path, kind: str | None = None) -> tuple[Path, dict[str, Any]]:
    """File and content of a checkpoint, of the newest one of a work dir, or of LEO's model of class ``kind``."""
    model = find_model(path)
    if model is not None:
        if model.part is None:
            parts = [part for part, entry in model.index['parts'].items() if entry.get('meta', {}).get('model') == kind]
            model = model._replace(part=parts[0] if parts else None)
        return model.path, model.checkpoint()
    return _read_newest(path) if Path(path).is_dir() else (Path(path), load_checkpoint(path))


def _read_newest(work_dir: str | Path) -> tuple[Path, dict[str, Any]]:
    newest = newest_checkpoint(work_dir, lambda text: print_log(text, logger='current', level=logging.WARNING))
    if newest is None:
        raise UserError(f'the folder {work_dir} holds no checkpoint; pass one, or the work dir of a training')
    return newest


def _carried_config(content: dict[str, Any], file: Path, options: dict[str, Any]) -> Config:
    config = read_config(config_from_checkpoint(content, str(file)), options)
    check_registered(config, str(file))
    return config
