"""Check before work starts that the videos to be written will fit on the disk."""

import shutil
from pathlib import Path
from typing import Sequence

from leokit.utils import UserError

# Lower bounds on bytes per pixel of natural video as VideoWriter writes it, so that nothing is refused that would have
# fit. A disk that runs full later is reported then.
BYTES_PER_PIXEL = {'.mp4': 0.01, '.mkv': 0.01, '.mov': 0.01, '.gif': 0.3, '.npy': 3.0, '': 0.7}
GIGABYTE = 10**9


def needed_bytes(path: str | Path, num_frames: int, height: int, width: int) -> int:
    """Lower estimate of the size of a video in bytes, by its suffix; 0 for an unknown suffix."""
    return int(BYTES_PER_PIXEL.get(Path(path).suffix.lower(), 0.0) * num_frames * height * width)


def check_space(paths: Sequence[str | Path], num_frames: int, height: int, width: int) -> None:
    """Raise a :class:`UserError` if a disk has less room than the videos to be written to it need.

    Args:
        paths (Sequence[str | Path]): The videos, in one folder or several.
        num_frames (int): Frames of each video.
        height (int): Height of the frames in pixels.
        width (int): Width of the frames in pixels.
    """
    needed: dict[Path, int] = {}
    for path in map(Path, paths):
        folder = next((parent for parent in path.absolute().parents if parent.exists()), path.absolute())
        needed[folder] = needed.get(folder, 0) + needed_bytes(path, num_frames, height, width)
    disks: dict[int, list[Path]] = {}
    for folder in needed:
        disks.setdefault(folder.stat().st_dev, []).append(folder)
    for folders in disks.values():
        total, free = sum(needed[folder] for folder in folders), shutil.disk_usage(folders[0]).free
        if total > free:
            count = f'{len(paths)} videos' if len(paths) > 1 else Path(paths[0]).name
            raise UserError(
                f'{count} of {num_frames} frames with {width}x{height} pixels need about {_format(total)}, and '
                f'the disk of {folders[0]} has {_format(free)} left; write fewer frames, write .mp4, or choose another '
                'disk')


def check_room(folder: str | Path, num_frames: float, size: int) -> None:
    """Raise a :class:`UserError` if the disk of a folder has less room than clips need, H.264 of ``size`` squared."""
    needed = needed_bytes('clip.mp4', round(num_frames), size, size)
    existing = next(parent for parent in (Path(folder).absolute(), *Path(folder).absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise UserError(f'clips with {num_frames:.0f} frames of {size}x{size} pixels need about {_format(needed)}, and '
                        f'the disk of {existing} has {_format(free)} left; choose another disk or a smaller size')


def _format(count: int) -> str:
    return f'{count / GIGABYTE:.3g} GB'
