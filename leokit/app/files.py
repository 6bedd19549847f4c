"""The private folder of the page: uploads and results, deleted when a visitor leaves, after a while, and at the end."""

import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path

from leokit.utils import UserError
from leokit.utils.files import remove

VISITORS = 'visitors'  # folder of the results, one below it for each visitor
EXAMPLES = 'examples'  # folder of the examples, which stay


class Visitor:
    """One open page: a folder for its results, its running jobs, and the image that its sliders move.

    Attributes:
        folder (Path): Folder with a random name, so that no other visitor can guess the address of a result.
        jobs (dict[str, threading.Event]): By tab, the event that cancels the job that runs there.
        memory (dict): What the tabs keep between two events, such as an encoded image.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / VISITORS / secrets.token_hex(16)
        self.jobs: dict[str, threading.Event] = {}
        self.memory: dict[str, object] = {}
        self.last_seen = time.monotonic()

    def start(self, tab: str) -> threading.Event:
        """Cancel the tab's job, if one runs, and return the event that cancels the next one."""
        self.cancel(tab)
        self.jobs[tab] = threading.Event()
        return self.jobs[tab]

    def cancel(self, tab: str | None = None) -> None:
        """Cancel the job of a tab, or all jobs."""
        for name, event in list(self.jobs.items()):
            if tab in (None, name):
                event.set()

    def new_file(self, name: str) -> Path:
        """A path for a result with this name, in a folder of its own."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.folder)) / name


class PrivateFiles:
    """All files of the page, in one folder that only this user can read.

    Args:
        keep_minutes (float): Age at which :meth:`sweep` deletes files.
        root (Path, optional): The folder; by default a new temporary one.
    """

    def __init__(self, keep_minutes: float = 60.0, root: Path | None = None) -> None:
        try:
            self.root = Path(os.path.realpath(root or tempfile.mkdtemp(prefix='leokit-app-')))
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f'there is no place for temporary files ({error.strerror or error}); set TMPDIR to a '
                            'folder that can be written') from error
        self.examples = self.root / EXAMPLES
        self.keep_seconds = 60 * keep_minutes
        self._visitors: dict[str, Visitor] = {}
        self._uploads: dict[Path, set[str]] = {}  # by whom a file was uploaded: equal files share a path
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def visitor(self, key: str | None) -> Visitor:
        """The visitor of a page, known or new."""
        with self._lock:
            visitor = self._visitors.setdefault(key or '', Visitor(self.root))
            visitor.last_seen = time.monotonic()
            return visitor

    def holds(self, path: str | Path) -> bool:
        """Whether a path leads into the private folder, links resolved."""
        try:
            resolved = Path(os.path.realpath(path))
        except ValueError:  # a null character
            return False
        return self.root in resolved.parents

    def note_upload(self, key: str | None, path: Path) -> None:
        """Remember that a visitor uploaded a file, to delete it when the visitor leaves."""
        if self.examples not in path.parents:
            with self._lock:
                self._uploads.setdefault(path, set()).add(key or '')

    def forget(self, key: str | None) -> None:
        """A visitor has left: stop the jobs, delete uploads and results."""
        with self._lock:
            visitor = self._visitors.pop(key or '', None)
            gone = []
            for path, owners in list(self._uploads.items()):
                owners.discard(key or '')
                if not owners:
                    del self._uploads[path]
                    gone.append(path)
        if visitor is not None:
            visitor.cancel()
            shutil.rmtree(visitor.folder, ignore_errors=True)
        for path in gone:
            _remove_with_folder(path, self.root)

    def used_bytes(self) -> int:
        """Bytes of all files."""
        return sum(_size(path) for path in self.root.rglob('*'))

    def sweep(self) -> None:
        """Delete files that have not changed for a while, and forget visitors that have not been seen for as long."""
        now = time.monotonic()
        with self._lock:
            old = [key for key, visitor in self._visitors.items() if now - visitor.last_seen > self.keep_seconds
                   and all(event.is_set() for event in visitor.jobs.values())]
        for key in old:
            self.forget(key)
        for path in list(self.root.rglob('*')):
            if self.examples not in path.parents and path.is_file() and _age(path) > self.keep_seconds:
                _remove_with_folder(path, self.root)

    def sweep_regularly(self, seconds: float = 60.0) -> None:
        """Start a thread that sweeps until :meth:`close`."""
        def work() -> None:
            while not self._stop.wait(seconds):
                self.sweep()
        threading.Thread(target=work, name='leokit-app-sweep', daemon=True).start()

    def close(self) -> None:
        """Stop all jobs and delete the folder."""
        self._stop.set()
        with self._lock:
            visitors = list(self._visitors.values())
            self._visitors.clear()
        for visitor in visitors:
            visitor.cancel()
        shutil.rmtree(self.root, ignore_errors=True)

    def without_paths(self, message: str) -> str:
        """A message without the private folder: of its paths, only the names of the files remain."""
        return re.sub(re.escape(str(self.root)) + r'(?:/[^\s/\'"]+)*/', '', message)


def _remove_with_folder(path: Path, root: Path) -> None:
    """Delete a file, and its folder if that is empty then."""
    try:
        remove(path)
        if path.parent != root:
            path.parent.rmdir()
    except OSError:  # not empty, or another thread was faster
        pass


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
