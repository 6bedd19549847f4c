"""Manifests of datasets for tests."""

import json

from leokit.video import write_manifest


def edit_manifest(folder, **changes):
    """Change keys of all rows of a manifest: name of the video -> values."""
    rows = json.loads((folder / 'manifest.json').read_text())
    write_manifest(folder / 'manifest.json', [{**row, **changes.get(row['name'], {})} for row in rows])


def write_dataset(folder, rows):
    """Write a manifest, and files that are no videos, for tools that open none."""
    folder.mkdir()
    for row in rows:
        (folder / row['file']).write_bytes(row['file'].encode())
    write_manifest(folder / 'manifest.json', rows)
    return folder
