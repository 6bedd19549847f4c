"""Output files that are named by their inputs: always below the output folder."""

from pathlib import Path, PurePosixPath

from leokit.utils.errors import UserError

MAX_NAME_BYTES = 200  # of a part of a path; file systems allow 255, and unfinished files have longer names


class OutputPaths:
    """Files below a folder that are named by videos of a dataset.

    Names of videos come from manifests, where they may be absolute paths or lead to other folders: the root and every
    ``..`` is dropped, so ``../raw/a`` becomes ``FOLDER/raw/a``.

    Args:
        folder (str | Path): The output folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._names: dict[Path, str] = {}

    def __call__(self, name: str, ending: str = '') -> Path:
        """The file for a name; ``ending`` is appended.

        Raises:
            UserError: If the name cannot be that of a file, or another name already has this file.
        """
        parts = [part for part in PurePosixPath(name.replace('\\', '/')).parts if part not in ('/', '//', '..', '.')]
        try:
            longest = max((len(part.encode()) for part in parts), default=0)
        except UnicodeEncodeError:
            longest = 0
        if not longest or longest > MAX_NAME_BYTES or '\0' in name:
            problem = 'is too long for' if longest > MAX_NAME_BYTES else 'cannot be'
            raise UserError(f'the video name {name[:MAX_NAME_BYTES]!r} {problem} a file name; change "name" in the '
                            'manifest')
        path = self.folder.joinpath(*parts[:-1], parts[-1] + ending)
        other = self._names.setdefault(path, name)
        if other != name:
            raise UserError(f'the videos {other!r} and {name!r} would both be written to {path}; give them different '
                            'names in the manifest')
        return path
