"""Incremental writing of motion codes: an extraction that is killed loses at most the video in progress.

The codes of a video are appended to ``codes.npy``; then a line with its metadata and a checksum of its rows is appended
to ``journal.jsonl``. A video counts as written when its journal line is complete and the checksum matches.
:meth:`CodeCacheWriter.close` turns the journal into ``index.json``. When an interrupted cache is opened again,
incomplete rows and lines are truncated.
"""

import json
import os
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from leokit.datasets.code_cache import (
    CODES_FILE, INDEX_FILE, JOURNAL_FILE, VERSION, CodedVideo, check_cache_animator, read_index)
from leokit.utils import UserError
from leokit.utils.files import write_bytes
from leokit.utils.locks import FileLock
from leokit.utils.npy import HEADER_BYTES, npy_header
from leokit.video.video_entry import Skipped

SYNC_SECONDS = 2.0  # interval of flushes to the disk, which protect against a power failure
LOCK_FILE = 'writer.lock'


class CodeCacheWriter:
    """Creates a code cache, resumes an interrupted one, or adds videos to a finished one.

    As a context manager, it finishes the cache on a normal exit and keeps the written videos for a later resume on an
    error. Only one process can write a cache at a time; all codes of a cache must come from the same animator, with
    the same crop and precision.

    Args:
        folder (str | Path): Folder of the cache; created if it does not exist.
        motion_dim (int): Dimension N of the codes.
        animator (dict): Metadata of the animator that extracts the codes: ``weights_hash``, ``config``,
            ``checkpoint``, ``crop`` and ``amp``.

    Attributes:
        videos (list[CodedVideo]): Videos in the cache.
        skipped (list[Skipped]): Videos reported as unusable in this run.
    """

    def __init__(self, folder: str | Path, motion_dim: int, *, animator: dict[str, Any]) -> None:
        self.folder = Path(folder)
        self.motion_dim = motion_dim
        self.animator = dict(animator)
        self.videos: list[CodedVideo] = []
        self.skipped: list[Skipped] = []
        self._checksums: dict[str, int] = {}  # CRC-32 of the rows, by the name of the video
        self._codes: BinaryIO | None = None
        self._journal: BinaryIO | None = None
        self._last_sync = 0.0
        self._lock = FileLock(self.folder / LOCK_FILE)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            locked = self._lock.acquire()
        except OSError as error:
            raise UserError(f'the code cache {self.folder} cannot be written ({error}); '
                            'pass another --out') from error
        if not locked:
            raise UserError(f'another process is writing the code cache {self.folder}; wait for it or pass '
                            'another --out')
        try:
            self._open()
        except BaseException:
            self._release()
            raise
        self._positions = {video.name: position for position, video in enumerate(self.videos)}
        self._parts = Counter(video.part_of for video in self.videos if video.part_of)

    @property
    def total(self) -> int:
        """int: Number of codes in the cache."""
        return self.videos[-1].offset + self.videos[-1].length if self.videos else 0

    def __contains__(self, name: str) -> bool:
        """Return True if the cache has the codes of the video ``name``, or of all its intact stretches."""
        return name in self._positions or (
            self._parts[name] > 0 and self._parts[name] == next(
                video.parts for video in self.videos if video.part_of == name))

    def add(self, name: str, codes: np.ndarray, *, identity: str, split: str | None = None, fps: float = 0.0,
            file_size: int = 0, part: CodedVideo | None = None) -> None:
        """Append the codes of one video.

        Args:
            name (str): Name of the video; must be new.
            codes (np.ndarray): Codes, shape (length, N), at least one.
            identity, split, fps, file_size: See :class:`~leokit.datasets.code_cache.CodedVideo`.
            part (CodedVideo, optional): For a stretch of a video, the record with ``part_of``, ``first``, ``whole`` and
                ``parts``.
        """
        codes = np.ascontiguousarray(codes, dtype='<f4')
        if codes.ndim != 2 or codes.shape[1] != self.motion_dim or len(codes) == 0:
            raise ValueError(f'codes of {name} must have shape (length, {self.motion_dim}), got {codes.shape}')
        if not np.isfinite(codes).all():
            raise UserError(f'the codes of {name} are not finite; use a checkpoint from before the training of the '
                            'animator diverged')
        if name in self._positions:
            raise ValueError(f'the codes of {name} already exist')
        place = {} if part is None else {key: getattr(part, key) for key in ('part_of', 'first', 'whole', 'parts')}
        video = CodedVideo(name, identity, split, float(fps), self.total, len(codes), file_size, **place)
        checksum = zlib.crc32(codes)
        line = json.dumps(dict(video._asdict(), checksum=checksum), ensure_ascii=False)
        try:
            self._codes.write(codes.data)
            self._codes.flush()
            self._journal.write(line.encode() + b'\n')
            self._journal.flush()
            if time.monotonic() - self._last_sync > SYNC_SECONDS:
                self._sync()
        except OSError as error:
            raise UserError(f'the code cache {self.folder} cannot be written ({error}); free some space and run the '
                            'same command again') from error
        self.videos.append(video)
        self._checksums[name] = checksum
        self._positions[name] = len(self.videos) - 1
        self._parts[video.part_of] += bool(video.part_of)

    def relabel(self, name: str, *, identity: str, split: str | None) -> bool:
        """Set the identity and split of a video in the cache; return True if one of them changed."""
        position = self._positions[name]
        changed = self.videos[position]._replace(identity=identity, split=split)
        differs, self.videos[position] = changed != self.videos[position], changed
        return differs

    def skip(self, file: str | Path, reason: str) -> None:
        """Record a video that cannot be encoded, with the reason."""
        self.skipped.append(Skipped(str(file), reason))

    def close(self) -> None:
        """Finish the cache: write ``index.json`` and remove the journal."""
        if self._codes is None:
            return
        self._sync()
        # The header is for numpy.load; leokit uses the index.
        self._codes.seek(0)
        self._codes.write(npy_header((self.total, self.motion_dim), np.float32))
        self._sync()
        index = dict(version=VERSION, motion_dim=self.motion_dim, animator=self.animator,
                     videos=[video._asdict() for video in self.videos],
                     checksums=[self._checksum(video) for video in self.videos],
                     skipped=[skipped._asdict() for skipped in self.skipped])
        write_bytes(self.folder / INDEX_FILE, json.dumps(index, indent=1, ensure_ascii=False).encode())
        (self.folder / JOURNAL_FILE).unlink()
        self._release()

    def __enter__(self) -> 'CodeCacheWriter':
        return self

    def __exit__(self, kind: type | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    # ---- opening and recovery --------------------------------------------------
    def _open(self) -> None:
        finished = (self.folder / INDEX_FILE).is_file()
        journal, codes = self.folder / JOURNAL_FILE, self.folder / CODES_FILE
        if codes.exists() and not finished and not journal.exists():
            raise UserError(f'{codes} was not written by leokit; pass another --out')
        if finished:
            self._load_index(read_index(self.folder))
        if not journal.exists():
            write_bytes(journal, self._journal_head())
        if not codes.exists():
            write_bytes(codes, npy_header((0, self.motion_dim), np.float32))
        self._codes = open(codes, 'r+b')
        if codes.stat().st_size < self._size():
            raise UserError(f'{codes} is shorter than {INDEX_FILE} says; delete {self.folder} and extract the codes '
                            'again')
        end = self._replay(journal)
        # Everything after the last valid line was being written when the process died.
        self._codes.truncate(self._size())
        self._codes.seek(0, os.SEEK_END)
        self._journal = open(journal, 'r+b')
        self._journal.truncate(end)
        self._journal.seek(end)

    def _size(self) -> int:
        """Size of ``codes.npy`` in bytes with the current videos."""
        return HEADER_BYTES + self.total * 4 * self.motion_dim

    def _journal_head(self) -> bytes:
        return json.dumps(dict(version=VERSION, motion_dim=self.motion_dim, animator=self.animator)).encode() + b'\n'

    def _load_index(self, index: dict[str, Any]) -> None:
        self._check_producer(index['motion_dim'], index['animator'])
        self.videos = list(index['videos'])
        self._checksums = dict(zip((video.name for video in self.videos), index.get('checksums', ())))

    def _check_producer(self, motion_dim: int, animator: dict[str, Any]) -> None:
        check_cache_animator(self.folder, animator, self.animator['weights_hash'])
        if motion_dim != self.motion_dim:
            raise UserError(f'the codes in {self.folder} have {motion_dim} dimensions, those of this animator have '
                            f'{self.motion_dim}; pass another --out')
        for key in ('crop', 'amp'):  # not recorded by older versions
            if key in animator and key in self.animator and animator[key] != self.animator[key]:
                raise UserError(f'the codes in {self.folder} were extracted with {key}={animator[key]}, not '
                                f'{self.animator[key]}; use the same value, or pass another --out')
        self.animator = dict(animator)  # metadata of the existing codes

    def _replay(self, journal: Path) -> int:
        """Add the completely written videos of the journal; return the end of its valid lines in bytes."""
        lines = journal.read_bytes().split(b'\n')[:-1]  # a last line without newline is incomplete
        try:
            first = json.loads(lines[0])
            self._check_producer(first['motion_dim'], first['animator'])
        except UserError:
            raise
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise UserError(f'{journal} is damaged; delete {self.folder} and extract the codes again') from error
        end = len(lines[0]) + 1
        known = {video.name for video in self.videos}
        for line in lines[1:]:
            try:
                row = json.loads(line)
                checksum = row.pop('checksum')
                video = CodedVideo(**row)
            except (ValueError, KeyError, TypeError, RecursionError):
                break
            if video.name not in known:  # known: the process died after writing the index
                if video.offset != self.total or not self._is_complete(video, checksum):
                    break
                self.videos.append(video)
                self._checksums[video.name] = checksum
            end += len(line) + 1
        return end

    def _is_complete(self, video: CodedVideo, checksum: int) -> bool:
        rows = self._rows(video)
        return len(rows) == video.length * 4 * self.motion_dim and zlib.crc32(rows) == checksum

    def _checksum(self, video: CodedVideo) -> int:
        """The recorded checksum; computed for videos that an older version has written."""
        known = self._checksums.get(video.name)
        return zlib.crc32(self._rows(video)) if known is None else known

    def _rows(self, video: CodedVideo) -> bytes:
        self._codes.seek(HEADER_BYTES + video.offset * 4 * self.motion_dim)
        return self._codes.read(video.length * 4 * self.motion_dim)

    def _sync(self) -> None:
        for file in (self._codes, self._journal):  # codes first: a journal line must never precede its codes
            file.flush()
            os.fsync(file.fileno())
        self._last_sync = time.monotonic()

    def _release(self) -> None:
        for file in (self._codes, self._journal):
            if file is not None:
                file.close()
        self._codes = self._journal = None
        self._lock.release()
