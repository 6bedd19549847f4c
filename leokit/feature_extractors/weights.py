"""Weight files of frozen networks: location, verification and download.

Files are in one folder, ``~/.cache/leokit/weights`` or that of the environment variable ``LEOKIT_WEIGHTS``. A file is
downloaded only if its SHA-256 is known beforehand, and kept only if it matches.
"""

import hashlib
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

from leokit.utils.cache_dirs import WEIGHTS_VARIABLE, weights_dir
from leokit.utils.errors import UserError
from leokit.utils.hashing import BLOCK_BYTES, file_sha256
from leokit.utils.progress import progress_bar

TIMEOUT_SECONDS = 20


class WeightFile(NamedTuple):
    """A published weight file.

    Attributes:
        name (str): File name.
        source (str): Where to get it; completes the sentence "get it from ...".
        url (str, optional): URL of the file itself.
        sha256 (str, optional): Its SHA-256; without it nothing is downloaded.
    """

    name: str
    source: str
    url: str | None = None
    sha256: str | None = None


def find_weights(file: WeightFile, path: str | Path | None = None, *, sha256: str | None = None,
                 download: bool = True) -> Path:
    """Path of an existing weight file, verified if its SHA-256 is known.

    Args:
        file (WeightFile): The file.
        path (str | Path, optional): Another file to use instead; verified only if ``sha256`` is given.
        sha256 (str, optional): Expected SHA-256, instead of the published one.
        download (bool): Download a missing file.
    """
    if path is not None:
        if not Path(path).is_file():
            raise UserError(f'the weight file {path} does not exist; {_remedy(file)}')
        return _verified(Path(path), sha256)
    file = file._replace(sha256=sha256 or file.sha256)
    stored = weights_dir() / file.name
    if not stored.is_file():
        if not (download and file.url and file.sha256):
            raise UserError(f'the weight file {file.name} was not found; {_remedy(file)}')
        return download_weights(file)
    return _verified(stored, file.sha256)


def download_weights(file: WeightFile) -> Path:
    """Download a weight file with known ``url`` and ``sha256`` into :func:`weights_dir`.

    The file is kept only if its SHA-256 is correct; a failed download leaves nothing behind.
    """
    if not (file.url and file.sha256):
        raise ValueError(f'{file.name} cannot be downloaded: its URL and its SHA-256 must both be known')
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    # A temporary name of its own, since several processes may download at the same time.
    handle, part = tempfile.mkstemp(dir=folder, prefix=f'{file.name}.', suffix='.part')
    try:
        with os.fdopen(handle, 'wb') as out:
            received = _fetch(file, out)
        if received != file.sha256:
            raise UserError(f'{file.url} returned a file whose SHA-256 is {received} instead of {file.sha256}; '
                            f'{_remedy(file)}')
        os.replace(part, folder / file.name)
    finally:
        Path(part).unlink(missing_ok=True)
    return folder / file.name


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict written by ``torch.save``, without running code from the file; tensors are on the CPU."""
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # pickle, zip and file system errors of many types
        raise UserError(f'{path} cannot be read as a file of tensors ({type(error).__name__}); '
                        'it is damaged or of another kind, get it again') from error
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f'{path} is not a state dict: it must map names to tensors and nothing else')
    return dict(content)


def _verified(path: Path, sha256: str | None) -> Path:
    if sha256 is not None and file_sha256(path) != sha256.lower():
        raise UserError(f'{path} is not the expected file: its SHA-256 is not {sha256}; '
                        'get the right one, or pass the path of another one without a SHA-256')
    return path


def _fetch(file: WeightFile, out: BinaryIO) -> str:
    """Stream ``file.url`` into ``out``; returns the SHA-256 of the received bytes."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_SECONDS) as response:
            length = response.headers.get('Content-Length')
            with progress_bar(int(length) if length else None, f'downloading {file.name}', unit='B') as bar:
                while block := response.read(BLOCK_BYTES):
                    digest.update(block)
                    out.write(block)
                    bar.update(len(block))
        out.flush()
        os.fsync(out.fileno())
    except (OSError, HTTPException) as error:  # no network, a timeout, a refused or broken connection, a full disk
        raise UserError(f'the weight file {file.name} was not found, and downloading {file.url} failed ({error}); '
                        f'{_remedy(file)}') from error
    return digest.hexdigest()


def _remedy(file: WeightFile) -> str:
    return (f'get it from {file.source} and put it at {weights_dir() / file.name} '
            f'(the environment variable {WEIGHTS_VARIABLE} names another folder), or pass its path')
