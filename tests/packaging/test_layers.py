"""Packages import from their own row of the table in docs/architecture.md, or from rows above."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# old names of what has moved to lower rows
EXCEPTIONS = {'leokit/feature_extractors/face_input.py'}


def documented_layers() -> dict[str, int]:
    """The row of every package."""
    text = (ROOT / 'docs/architecture.md').read_text()
    table = re.search(r'^\| layer \| packages \|\n\|.*\|\n((?:\|.*\|\n)+)', text, re.M)
    rows = [row.split('|')[2] for row in table[1].splitlines()]
    layers: dict[str, int] = {}
    for number, row in enumerate(rows):
        for package in re.findall(r'`(\w+)`', row):
            layers.setdefault(package, number)
    return layers


def imported_packages(source: str) -> set[str]:
    """Packages and modules of leokit that a module imports when it is imported."""
    names = set()
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            parts = statement.module.split('.')
            if parts[0] == 'leokit':
                names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in statement.names}
        elif isinstance(statement, ast.Import):
            names |= {alias.name.split('.')[1] for alias in statement.names if alias.name.startswith('leokit.')}
    return names


def test_every_package_is_in_the_table():
    packages = {path.name for path in (ROOT / 'leokit').iterdir() if (path / '__init__.py').exists()}
    modules = {path.stem for path in (ROOT / 'leokit').glob('*.py')} - {'__init__', '__main__'}
    assert packages | modules <= set(documented_layers())


def test_packages_import_from_their_layer_or_above():
    layers = documented_layers()
    wrong = []
    for path in sorted((ROOT / 'leokit').rglob('*.py')):
        name = path.relative_to(ROOT).as_posix()
        package = path.relative_to(ROOT / 'leokit').parts[0].removesuffix('.py')
        if package in layers and name not in EXCEPTIONS:
            wrong += [(name, imported) for imported in imported_packages(path.read_text())
                      if layers.get(imported, 0) > layers[package]]
    assert not wrong


def test_the_exceptions_are_exceptions():
    layers = documented_layers()
    for name in EXCEPTIONS:
        imported = imported_packages((ROOT / name).read_text())
        assert max(layers.get(package, 0) for package in imported) > layers[name.split('/')[1]]
