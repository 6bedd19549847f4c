"""Frames decoded once, at the training resolution, into one array file per video.

Decoding two frames of an H.264 file takes milliseconds; reading them from this cache costs a copy. It needs 3·S·S
bytes of disk space per frame, 48 KiB at resolution 128.

Files: ``<cache_dir>/v<version>_<size>_<crop>/<key>.npy``, uint8 (frames, 3, S, S). The key is a hash of the path, size
and modification time of the video (of a frame folder, of its images), and of the reader. A file is written under a
temporary name and renamed when it is complete. Several processes can fill a cache together: each video is decoded by
one of them. Where the cache cannot be written (a full disk, a private folder), videos are decoded at every read, and a
warning says so.
"""

import hashlib
import logging
import os
import shutil
import time
from pathlib import Path
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from torch import Tensor

from leokit.datasets.frame_decoder import FrameDecoder
from leokit.utils import UserError, progress_bar
from leokit.utils.files import atomic_path
from leokit.utils.locks import FileLock
from leokit.utils.npy import HEADER_BYTES, npy_header
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.readers import VideoReader
from leokit.video.shards import video_stamp
from leokit.video.video_entry import Skipped, VideoEntry

VERSION = 3  # incremented when the decoded frames change
POLL_SECONDS = 0.2  # interval of checks whether another process has finished a video
LEFTOVER_SECONDS = 24 * 3600  # age at which a partial file is considered abandoned
SPARE_BYTES = 1 << 28  # disk space that must remain free


class CacheWriteError(UserError):
    """The cache cannot be written, because of the disk and not because of the videos."""


class FrameCache:
    """A frame store that decodes every video once into a disk cache.

    Args:
        decoder (FrameDecoder): Decodes the videos that are not cached yet.
        folder (str | Path): Folder of the cache; datasets of different sizes and crops can share it.
        workers (int, optional): Threads that decode. Default: one per core.
    """

    def __init__(self, decoder: FrameDecoder, folder: str | Path, *, workers: int | None = None) -> None:
        self.decoder = decoder
        self.folder = Path(folder) / f'v{VERSION}_{decoder.size}_{decoder.crop}'
        self.workers = workers or worker_count()
        self._files: dict[str, Path] = {}

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Decode the videos that are not in the cache, with a progress bar.

        Returns:
            list[Skipped]: Videos that cannot be decoded to their end.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._do_without(f'the frame cache {self.folder} cannot be created ({error})')
            return []
        missing, skipped = [], []
        keys = thread_map(lambda video: _key_or_error(video, self.decoder.reader), videos, self.workers)
        for video, key in zip(videos, keys):
            if isinstance(key, OSError):
                skipped.append(Skipped(str(video.path), f'the file has disappeared since it was probed ({key})'))
                continue
            self._files[video.name] = self.folder / f'{key}.npy'
            if not self._files[video.name].exists():
                missing.append(video)
        try:
            self._fill(missing, skipped)
        except CacheWriteError as error:  # a cache must not end the work that it serves
            self._do_without(str(error))
        return skipped

    def _do_without(self, reason: str) -> None:
        """Decode what is not in the cache at every read."""
        print_log(f'{reason}; videos that are not in it are decoded at every read, which is slower; free some space, '
                  'or set frame_cache to a folder on another disk', logger='current', level=logging.WARNING)

    def _fill(self, missing: Sequence[VideoEntry], skipped: list[Skipped]) -> None:
        if missing:
            self._remove_leftovers()
            self._check_room(missing)
        # Each round decodes the videos that no other process has locked.
        with progress_bar(len(missing), 'decoding videos into the frame cache', unit='video',
                          show=bool(missing) and is_main_process()) as bar:
            while missing:
                elsewhere = []
                for video, result in zip(missing, thread_map(self._decode, missing, self.workers)):
                    if result is None:
                        elsewhere.append(video)
                        continue
                    bar.update()
                    if result:
                        skipped.append(Skipped(str(video.path), result))
                missing = elsewhere  # another process is decoding these: check them again
                if missing:
                    time.sleep(POLL_SECONDS)

    def read(self, video: VideoEntry, frames: np.ndarray, *, out: np.ndarray | None = None) -> Tensor:
        """Read frames of a prepared video: uint8, shape (T, 3, S, S), into ``out`` if given."""
        path = self._files.get(video.name)
        if path is None or not path.exists():
            return self.decoder.read(video, frames, out=out)
        pixels = np.empty((len(frames), 3, self.decoder.size, self.decoder.size), np.uint8) if out is None else out
        try:
            # Plain reads, not numpy.load(mmap_mode='r'): parsing the header and page faults take ten times as long.
            with open(path, 'rb', buffering=0) as file:
                for frame, target in zip(frames, pixels):
                    file.seek(HEADER_BYTES + int(frame) * target.nbytes)
                    if file.readinto(target) != target.nbytes:
                        raise OSError('the file is too short')
            return torch.from_numpy(pixels)
        except OSError as error:
            raise UserError(f'the cached frames {path} of {video.path} cannot be read ({error}); delete that file and '
                            'run the command again') from error

    def _decode(self, video: VideoEntry) -> str | None:
        """Cache one video. Return '' on success, the error of an unreadable video, None if another process has it."""
        path = self._files[video.name]
        lock = FileLock(path.with_suffix('.lock'))
        if not lock.acquire():
            return None
        try:
            if lock.held:  # so nobody else is writing this video
                for part in self.folder.glob(f'{path.stem}.*.npy'):
                    part.unlink(missing_ok=True)
            if not path.exists():
                self._write(video, path)
            return ''
        except UserError as error:
            return str(error)
        except OSError as error:
            raise CacheWriteError(f'the frame cache {path} cannot be written ({error})') from error
        finally:
            lock.release()

    def _write(self, video: VideoEntry, path: Path) -> None:
        size = self.decoder.size
        # A name per process: on a file system without locks, another process may be decoding the same video.
        own = path.with_name(f'{path.stem}.{os.getpid()}.npy')
        # Plain writes instead of a memory map: a full disk raises an error and does not kill the process.
        with atomic_path(own) as part, open(part, 'wb') as file:
            file.write(npy_header((video.frames, 3, size, size), np.uint8))
            for chunk in self.decoder.stream(video):
                file.write(np.ascontiguousarray(chunk).data)
        os.replace(own, path)

    def _remove_leftovers(self) -> None:
        """Delete partial files of processes that were killed long ago, where there are no locks."""
        for part in self.folder.glob('*.*.npy'):
            try:
                if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
                    part.unlink()
            except OSError:
                continue

    def _check_room(self, missing: Sequence[VideoEntry]) -> None:
        needed = sum(video.frames for video in missing) * 3 * self.decoder.size**2
        free = shutil.disk_usage(self.folder).free - SPARE_BYTES
        if needed > free:
            raise CacheWriteError(f'the frame cache {self.folder} needs {needed / 2**30:.1f} GiB for {len(missing)} '
                                  f'videos, but only {max(free, 0) / 2**30:.1f} GiB are free')


def _key_or_error(video: VideoEntry, reader: VideoReader) -> str | OSError:
    try:
        return _key(video, reader)
    except OSError as error:
        return error


def _key(video: VideoEntry, reader: VideoReader) -> str:
    size, stamp = video_stamp(video.path)
    content = f'{video.path.resolve()} {size} {stamp} {video.frames} {reader.signature()}'
    return hashlib.sha256(content.encode()).hexdigest()[:32]
