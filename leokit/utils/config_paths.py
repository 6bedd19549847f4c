"""Relative paths in configs: from the folder of the config file if they exist there, else from the current folder.

So a config and the files that it names can be used from any folder, while results (``work_dirs/...``) and files of the
shipped configs (``data/...``) stay in the folder where a command runs.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

# Keys, at any depth, whose strings are paths; those of FILE_KEYS only with a folder or a suffix: they may be names.
PATH_KEYS = ('data_root', 'codes_dir', 'checkpoint', 'load_from', 'resume', 'source', 'path')
FILE_KEYS = ('config', 'protocol', 'base', 'weights')


def config_folders(path: str | Path) -> list[Path]:
    """The folder of a config file, then those of the files that it inherits from."""
    folders = {}
    for file in _with_bases(Path(path).absolute(), set()):
        folders[file.parent] = None
    return list(folders)


def resolve_paths(value: Any, folders: Sequence[Path], key: str = '') -> Any:
    """A copy of a config (plain dicts and lists) with absolute paths for what exists in one of the folders."""
    if isinstance(value, dict):
        return {name: resolve_paths(item, folders, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(resolve_paths(item, folders, '') for item in value)
    if not isinstance(value, str) or not _is_relative_path(key, value):
        return value
    found = (folder / value for folder in folders)
    return next((os.path.normpath(path) for path in found if _exists(path)), value)


def _is_relative_path(key: str, value: str) -> bool:
    if not value or value[0] in '$~/' or '${' in value:
        return False
    return key in PATH_KEYS or (key in FILE_KEYS and ('/' in value or bool(Path(value).suffix)))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # names that no file can have
        return False


def _with_bases(file: Path, seen: set[Path]) -> Iterator[Path]:
    if file in seen:
        return
    seen.add(file)
    yield file
    try:
        bases = Config._get_base_files(str(file))
    except Exception:  # noqa: BLE001  the caller has read the file already; of other formats there are no bases here
        return
    for base in bases:
        yield from _with_bases(Path(os.path.normpath(file.parent / base)), seen)
