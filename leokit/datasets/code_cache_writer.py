"""Writing motion codes video by video, so that a killed extraction loses the video in progress at most.

Codes are appended to ``codes.npy``; then one line about the video, with a checksum of its rows, is appended to
``journal.jsonl``. Only what the journal vouches for counts. :meth:`CodeCacheWriter.close` turns the journal into
``index.json``. Rows and lines that were being written when the process died are cut off when the cache is opened
again.
"""

import json
import os
import time
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from leokit.datasets.code_cache import (
    CODES_FILE, INDEX_FILE, JOURNAL_FILE, VERSION, CodedVideo, check_animator, read_index)
from leokit.utils import UserError
from leokit.utils.files import write_bytes
from leokit.utils.locks import FileLock
from leokit.utils.npy import HEADER_BYTES, npy_header
from leokit.video.video_entry import Skipped

SYNC_SECONDS = 2.0  # how often what has been written is forced to the disk, against loss of power
LOCK_FILE = 'writer.lock'


class CodeCacheWriter:
    """Makes a code cache, continues an interrupted one, or adds videos to a finished one.

    A context manager: leaving it finishes the cache; leaving it by an error keeps what has been written, for the next
    time.

    Args:
        folder (str | Path): The cache's folder; made if missing.
        motion_dim (int): N.
        animator (dict): ``weights_hash`` of the animator, its ``config`` and ``checkpoint``, and how frames are read:
            ``crop`` and ``amp``.

    Attributes:
        videos (list[CodedVideo]): What the cache holds already.
        skipped (list[Skipped]): Videos noted as unusable in this run.

    Raises:
        UserError: If the folder holds codes of another animator or dimension, of frames that were read otherwise,
            something else, or is being written by another process.
    """

    def __init__(self, folder: str | Path, motion_dim: int, *, animator: dict[str, Any]) -> None:
        self.folder = Path(folder)
        self.motion_dim = motion_dim
        self.animator = dict(animator)
        self.videos: list[CodedVideo] = []
        self.skipped: list[Skipped] = []
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
        self._places = {video.name: place for place, video in enumerate(self.videos)}

    @property
    def total(self) -> int:
        """int: Number of codes that the cache holds."""
        return self.videos[-1].offset + self.videos[-1].length if self.videos else 0

    def __contains__(self, name: str) -> bool:
        """Whether the codes of the video ``name`` are there."""
        return name in self._places

    def add(self, name: str, codes: np.ndarray, *, identity: str, split: str | None = None, fps: float = 0.0,
            file_size: int = 0) -> None:
        """Append the codes of one video.

        Args:
            name (str): The video's name; not one that is there already.
            codes (np.ndarray): Its codes, shape (length, N), at least one.
            identity (str): Who is seen.
            split (str, optional): Its split.
            fps (float): Frames per second.
            file_size (int): Bytes of its file, to notice a replaced one; 0 if it is no file.

        Raises:
            ValueError: If the codes have another shape, or the name is there already.
            UserError: If the codes are not finite, or the disk is full.
        """
        codes = np.ascontiguousarray(codes, dtype='<f4')
        if codes.ndim != 2 or codes.shape[1] != self.motion_dim or len(codes) == 0:
            raise ValueError(f'codes of {name} must have shape (length, {self.motion_dim}), got {codes.shape}')
        if not np.isfinite(codes).all():
            raise UserError(f'the animator makes codes of {name} that are not finite; use a checkpoint from before its '
                            'training diverged')
        if name in self._places:
            raise ValueError(f'the codes of {name} are there already')
        video = CodedVideo(name, identity, split, float(fps), self.total, len(codes), file_size)
        line = json.dumps(dict(video._asdict(), checksum=zlib.crc32(codes)), ensure_ascii=False)
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
        self._places[name] = len(self.videos) - 1

    def relabel(self, name: str, *, identity: str, split: str | None) -> bool:
        """Give a video whose codes are there the identity and split that it has now.

        Args:
            name (str): The video's name; one that is there.
            identity (str): Who is seen.
            split (str, optional): Its split.

        Returns:
            bool: Whether they were others.
        """
        place = self._places[name]
        changed = self.videos[place]._replace(identity=identity, split=split)
        differs, self.videos[place] = changed != self.videos[place], changed
        return differs

    def skip(self, file: str | Path, reason: str) -> None:
        """Note a video that cannot be encoded.

        Args:
            file (str | Path): The video.
            reason (str): Why.
        """
        self.skipped.append(Skipped(str(file), reason))

    def close(self) -> None:
        """Finish the cache: write ``index.json`` and remove the journal."""
        if self._codes is None:
            return
        self._sync()
        # numpy.load reads the header; leokit goes by the index.
        self._codes.seek(0)
        self._codes.write(npy_header((self.total, self.motion_dim), np.float32))
        self._sync()
        index = dict(version=VERSION, motion_dim=self.motion_dim, animator=self.animator,
                     videos=[video._asdict() for video in self.videos],
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

    # ---- opening ---------------------------------------------------------------
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
            raise UserError(f'{codes} is shorter than {INDEX_FILE} beside it says; delete {self.folder} and extract '
                            'the codes again')
        end = self._replay(journal)
        # What follows the last line that holds was being written when the process died.
        self._codes.truncate(self._size())
        self._codes.seek(0, os.SEEK_END)
        self._journal = open(journal, 'r+b')
        self._journal.truncate(end)
        self._journal.seek(end)

    def _size(self) -> int:
        """Bytes of ``codes.npy`` with the videos of now."""
        return HEADER_BYTES + self.total * 4 * self.motion_dim

    def _journal_head(self) -> bytes:
        return json.dumps(dict(version=VERSION, motion_dim=self.motion_dim, animator=self.animator)).encode() + b'\n'

    def _load_index(self, index: dict[str, Any]) -> None:
        self._check_producer(index['motion_dim'], index['animator'])
        self.videos = [CodedVideo(**row) for row in index['videos']]

    def _check_producer(self, motion_dim: int, animator: dict[str, Any]) -> None:
        check_animator(self.folder, animator, self.animator['weights_hash'])
        if motion_dim != self.motion_dim:
            raise UserError(f'the codes in {self.folder} have {motion_dim} dimensions, this animator makes '
                            f'{self.motion_dim}; pass another --out')
        for key in ('crop', 'amp'):  # caches of older versions do not say
            if key in animator and key in self.animator and animator[key] != self.animator[key]:
                raise UserError(f'the codes in {self.folder} were made with {key}={animator[key]}, now it is '
                                f'{self.animator[key]}; use the same, or pass another --out')
        self.animator = dict(animator)  # of the codes that are there

    def _replay(self, journal: Path) -> int:
        """Take over the videos of the journal that are there in full; return where the lines that hold end."""
        lines = journal.read_bytes().split(b'\n')[:-1]  # a line without its end was being written
        try:
            first = json.loads(lines[0])
            self._check_producer(first['motion_dim'], first['animator'])
        except UserError:
            raise
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(f'{journal} is damaged; delete {self.folder} and extract the codes again') from error
        end = len(lines[0]) + 1
        known = {video.name for video in self.videos}
        for line in lines[1:]:
            try:
                row = json.loads(line)
                checksum = row.pop('checksum')
                video = CodedVideo(**row)
            except (ValueError, KeyError, TypeError):
                break
            if video.name not in known:  # else the process died between index and journal
                if video.offset != self.total or not self._holds(video, checksum):
                    break
                self.videos.append(video)
            end += len(line) + 1
        return end

    def _holds(self, video: CodedVideo, checksum: int) -> bool:
        self._codes.seek(HEADER_BYTES + video.offset * 4 * self.motion_dim)
        rows = self._codes.read(video.length * 4 * self.motion_dim)
        return len(rows) == video.length * 4 * self.motion_dim and zlib.crc32(rows) == checksum

    def _sync(self) -> None:
        for file in (self._codes, self._journal):  # the codes first: the journal must not promise too much
            file.flush()
            os.fsync(file.fileno())
        self._last_sync = time.monotonic()

    def _release(self) -> None:
        for file in (self._codes, self._journal):
            if file is not None:
                file.close()
        self._codes = self._journal = None
        self._lock.release()
