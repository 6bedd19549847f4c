"""Whether videos that are about to be made will fit on the disk: a sentence now, not a full disk in an hour."""

import shutil
from pathlib import Path
from typing import Sequence

from leokit.utils import UserError

# Bytes a pixel that pictures of people take at least, as VideoWriter writes them: a refusal must be right. What takes
# more is caught when the disk is full.
BYTES_PER_PIXEL = {'.mp4': 0.01, '.mkv': 0.01, '.mov': 0.01, '.gif': 0.3, '.npy': 3.0, '': 0.7}
GIGABYTE = 10**9


def needed_bytes(path: str | Path, num_frames: int, height: int, width: int) -> int:
    """What a video will take on the disk, estimated low.

    Args:
        path (str | Path): Its name, as for :class:`~leokit.visualization.VideoWriter`.
        num_frames (int): Its frames.
        height (int): Their height in pixels.
        width (int): Their width.

    Returns:
        int: Bytes; 0 for a kind of file that is not known.
    """
    return int(BYTES_PER_PIXEL.get(Path(path).suffix.lower(), 0.0) * num_frames * height * width)


def check_space(paths: Sequence[str | Path], num_frames: int, height: int, width: int) -> None:
    """Refuse to begin videos that the disk has no room for.

    Args:
        paths (Sequence[str | Path]): Their names, in one folder or several.
        num_frames (int): Frames of each.
        height (int): Their height in pixels.
        width (int): Their width.

    Raises:
        UserError: If a disk has less room than the videos on it need.
    """
    needed: dict[Path, int] = {}
    for path in map(Path, paths):
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        needed[folder] = needed.get(folder, 0) + needed_bytes(path, num_frames, height, width)
    disks: dict[int, list[Path]] = {}
    for folder in needed:
        disks.setdefault(folder.stat().st_dev, []).append(folder)
    for folders in disks.values():
        total, free = sum(needed[folder] for folder in folders), shutil.disk_usage(folders[0]).free
        if total > free:
            count = f'{len(paths)} videos' if len(paths) > 1 else Path(paths[0]).name
            raise UserError(
                f'{count} of {num_frames} frames with {width}x{height} pixels need about {_size(total)}, and the disk '
                f'of {folders[0]} has {_size(free)} left; make fewer frames, write .mp4, or choose another disk')


def _size(count: int) -> str:
    return f'{count / GIGABYTE:.3g} GB'
