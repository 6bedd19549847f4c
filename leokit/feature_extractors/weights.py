"""Weight files of frozen networks: where they are, whether they are the right ones, how they are read.

Files live in one folder, ``~/.cache/leokit/weights`` or the one that the environment variable ``LEOKIT_WEIGHTS``
names. A file is downloaded only where its SHA-256 is known beforehand, and kept only if it matches.
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
from leokit.utils.progress import progress_bar

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 20


class WeightFile(NamedTuple):
    """A published weight file.

    Attributes:
        name (str): File name under which it is looked for.
        source (str): Where a person can get it; ends the sentence "get it from ...".
        url (str, optional): Address of the file itself.
        sha256 (str, optional): Its SHA-256; without it nothing is downloaded.
    """

    name: str
    source: str
    url: str | None = None
    sha256: str | None = None


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def find_weights(file: WeightFile, path: str | Path | None = None, *, sha256: str | None = None,
                 download: bool = True) -> Path:
    """Path of a weight file that exists and, where its SHA-256 is known, has it.

    Args:
        file (WeightFile): What is looked for.
        path (str | Path, optional): A file to take instead; its hash matters only if ``sha256`` is given.
        sha256 (str, optional): What the SHA-256 must be, instead of the published one.
        download (bool): Whether a missing file may be downloaded.

    Returns:
        Path: The file.

    Raises:
        UserError: If the file is missing and cannot be downloaded, or is not the published one.
    """
    if path is not None:
        if not Path(path).is_file():
            raise UserError(f'the weight file {path} does not exist; {_remedy(file)}')
        return _verified(Path(path), sha256)
    file = file._replace(sha256=sha256 or file.sha256)
    found = weights_dir() / file.name
    if not found.is_file():
        if not (download and file.url and file.sha256):
            raise UserError(f'the weight file {file.name} was not found; {_remedy(file)}')
        return download_weights(file)
    return _verified(found, file.sha256)


def download_weights(file: WeightFile) -> Path:
    """Download a weight file into :func:`weights_dir`, keeping it only if its SHA-256 is right.

    Args:
        file (WeightFile): What to download; its ``url`` and ``sha256`` are needed.

    Returns:
        Path: The file.

    Raises:
        UserError: If the download fails or yields another file; nothing is left behind.
        ValueError: If the file has no address or no hash.
    """
    if not (file.url and file.sha256):
        raise ValueError(f'{file.name} cannot be downloaded: its address and its SHA-256 must both be known')
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    # Written beside its place under a name of its own: several processes may download at once.
    handle, part = tempfile.mkstemp(dir=folder, prefix=f'{file.name}.', suffix='.part')
    try:
        with os.fdopen(handle, 'wb') as out:
            got = _fetch(file, out)
        if got != file.sha256:
            raise UserError(f'{file.url} gave a file whose SHA-256 is {got} instead of {file.sha256}; {_remedy(file)}')
        os.replace(part, folder / file.name)
    finally:
        Path(part).unlink(missing_ok=True)
    return folder / file.name


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict without running code from the file.

    Args:
        path (str | Path): A file written by ``torch.save``.

    Returns:
        dict[str, Tensor]: The tensors, on the CPU, in the order of the file.

    Raises:
        UserError: If the file is corrupt or holds anything but named tensors.
    """
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # pickle, zip and file system errors are of many kinds
        raise UserError(f'{path} cannot be read as a file of tensors ({type(error).__name__}); '
                        'it is damaged or of another kind, get it anew') from error
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f'{path} is not a state dict: it must map names to tensors and nothing else')
    return dict(content)


def _verified(path: Path, sha256: str | None) -> Path:
    if sha256 is not None and file_sha256(path) != sha256.lower():
        raise UserError(f'{path} is not the file that is meant: its SHA-256 is not {sha256}; '
                        'get the right one, or pass the path of another without asking for a SHA-256')
    return path


def _fetch(file: WeightFile, out: BinaryIO) -> str:
    """Stream ``file.url`` into ``out``; return the SHA-256 of what came."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_SECONDS) as response:
            length = response.headers.get('Content-Length')
            with progress_bar(int(length) if length else None, f'downloading {file.name}', unit='B') as bar:
                while chunk := response.read(CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
                    bar.update(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    except (OSError, HTTPException) as error:  # no network, a timeout, a refused or cut connection, a full disk
        raise UserError(f'the weight file {file.name} was not found, and downloading {file.url} failed ({error}); '
                        f'{_remedy(file)}') from error
    return digest.hexdigest()


def _remedy(file: WeightFile) -> str:
    return (f'get it from {file.source} and put it at {weights_dir() / file.name} '
            f'(the environment variable {WEIGHTS_VARIABLE} names another folder), or pass its path')
