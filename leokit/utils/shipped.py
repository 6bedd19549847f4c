"""The configs that come with leokit, found by name."""

from pathlib import Path

from leokit.utils.errors import UserError, suggest
from leokit.utils.model_folder import zoo_hashes

PACKAGE = Path(__file__).resolve().parents[1]
CONFIG_FOLDERS = (PACKAGE / '.mim' / 'configs', PACKAGE.parent / 'configs')  # of a wheel, of a clone


def config_root() -> Path:
    """The folder of the shipped configs."""
    for folder in CONFIG_FOLDERS:
        if folder.is_dir():
            return folder
    raise UserError('this installation of leokit has no configs; install it from a wheel, or with pip install -e .')


def config_names() -> dict[str, Path]:
    """The shipped configs by name, without those that only serve as ``_base_``."""
    root = config_root()
    files = (file for file in root.rglob('*.py') if '_base_' not in file.relative_to(root).parts)
    return {file.stem: file for file in sorted(files)}


def find_config(config: str | Path) -> Path:
    """The file of a config.

    Args:
        config (str | Path): A file; else the name of a shipped config, such as ``'lia_celebv_256'``, or its path in a
            clone, such as ``'configs/lia/lia_celebv_256.py'``, which works in any folder.

    Returns:
        Path: An existing file.
    """
    path = Path(config)
    if path.is_file():
        return path
    if path.parts[:1] == ('configs',):
        shipped = config_root().joinpath(*path.parts[1:])
    else:
        shipped = config_names().get(str(config), path)
    if not shipped.is_file():
        names = [*config_names(), *zoo_hashes()]
        raise UserError(f'the config {config} does not exist; pass a Python file, or the name of a shipped config such '
                        f'as lmdm_celebv or of a shipped model (leokit zoo list){suggest(path.stem, names)}')
    return shipped
