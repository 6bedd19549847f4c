"""Settings files: a folder records the settings of its results, so that results of other settings never join them."""

import json
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping

from leokit.utils.errors import UserError
from leokit.utils.files import write_json


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are read back from JSON: tuples become lists, keys and other objects strings."""
    return json.loads(json.dumps(settings, default=str))


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any], keys: Iterable[str] | None = None) -> list[str]:
    """Keys with different values; a missing key counts as None.

    Args:
        before (Mapping): Recorded settings.
        after (Mapping): Current settings.
        keys (Iterable[str], optional): Keys to compare. Default: all, in alphabetical order.
    """
    keys = sorted({*before, *after}) if keys is None else keys
    return [key for key in keys if before.get(key) != after.get(key)]


def lock_settings(path: str | Path, settings: Mapping[str, Any], *, subject: str, remedy: str) -> None:
    """Record the settings in a new file, or check them against those of an existing one.

    Args:
        path (str | Path): The settings file.
        settings (Mapping): Current settings, JSON-serializable.
        subject (str): What was written with the recorded settings: "FOLDER holds clips".
        remedy (str): What the user can do about a difference.

    Raises:
        UserError: If the recorded settings differ, the file is damaged or cannot be written.
    """
    if Path(path).is_file():
        check_settings(path, settings, subject=subject, remedy=remedy)
    else:
        write_json(path, plain_settings(settings))


def check_settings(path: str | Path, settings: Mapping[str, Any], *, subject: str, remedy: str,
                   upgrade: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> None:
    """Raise a :class:`UserError` unless a settings file records these settings.

    Args:
        path, settings, subject, remedy: See :func:`lock_settings`.
        upgrade (Callable): Applied to the recorded settings, to replace old names.
    """
    settings = plain_settings(settings)
    try:
        recorded = upgrade(dict(json.loads(Path(path).read_text())))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f'{subject} of unknown settings ({path} is missing or damaged: {error}); {remedy}') from error
    changed = [_describe(key, recorded.get(key), settings.get(key)) for key in changed_keys(recorded, settings)]
    if changed:
        raise UserError(f'{subject} of other settings ({", ".join(changed)}); {remedy}')


def _describe(key: str, before: Any, after: Any) -> str:
    nested = isinstance(before, (dict, list)) or isinstance(after, (dict, list))
    return f'other {key}' if nested else f'{key}={before}, not {after}'
