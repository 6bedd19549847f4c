"""Types of command-line values: checked while the command line is parsed, before any work."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

MAX_COUNT = 10**8  # of frames, videos, samples; more is a mistake, which would take weeks or all memory
VIDEO_SUFFIXES = ('.mp4', '.mkv', '.mov', '.gif', '.npy')  # of ``VideoWriter``
MIN_FPS, MAX_FPS = 1e-3, 1000  # resampling to more would only repeat frames, without end


def positive_int(text: str) -> int:
    """An integer of at least 1."""
    number = _number(int, text, 'an integer')
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} must be 1 or more')
    _check_size(number, text)
    return number


def non_negative_int(text: str) -> int:
    """An integer of at least 0."""
    number = _number(int, text, 'an integer')
    if number < 0:
        raise argparse.ArgumentTypeError(f'{text} must be 0 or more')
    _check_size(number, text)
    return number


def key_image(text: str) -> tuple[str, int]:
    """``FILE@FRAME``: an image and the number of a frame."""
    file, at, frame = text.rpartition('@')
    if not (at and file and frame.isascii() and frame.isdigit()):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form FILE@FRAME, such as smile.png@40')
    return file, non_negative_int(frame)


def positive_float(text: str) -> float:
    """A finite number above 0."""
    number = _number(float, text, 'a number')
    if not 0 < number < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} must be above 0')
    return number


def non_negative_float(text: str) -> float:
    """A finite number of at least 0."""
    number = _number(float, text, 'a number')
    if not 0 <= number < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} must be 0 or more')
    return number


def frame_rate(text: str) -> float:
    """Frames per second of a video."""
    number = _number(float, text, 'a number')
    if not MIN_FPS <= number <= MAX_FPS:
        raise argparse.ArgumentTypeError(f'{text} must be from {MIN_FPS:g} to {MAX_FPS:g}')
    return number


def finite_float(text: str) -> float:
    """A finite number."""
    number = _number(float, text, 'a number')
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f'{text} must be a finite number')
    return number


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    number = _number(float, text, 'a number')
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'{text} must be from 0 to 1')
    return number


def _check_size(number: int, text: str) -> None:
    if number > MAX_COUNT:
        raise argparse.ArgumentTypeError(f'{text[:40]} must be at most {MAX_COUNT}')


def _number(kind: type, text: str, name: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text[:40]!r} is not {name}') from None


def shard(text: str) -> tuple[int, int]:
    """``NUMBER/COUNT``, the first shard being number 1."""
    number, slash, count = text.partition('/')
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form NUMBER/COUNT with NUMBER from 1 to COUNT')
    return int(number), int(count)


def output_file(text: str) -> Path:
    """A file that can be written: a long job must not fail at its end."""
    path = Path(text)
    try:
        if not path.name or path.is_dir():
            raise argparse.ArgumentTypeError(f'{text!r} is a folder; name a file')
        existing = next(parent for parent in path.absolute().parents if parent.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise argparse.ArgumentTypeError(f'{text} cannot be written, because {existing} '
                                             f'{"is not writable" if existing.is_dir() else "is a file"}')
    except OSError as error:  # a private folder, a name that is too long
        raise argparse.ArgumentTypeError(f'{text[:200]} cannot be written ({error.strerror})') from error
    return path


def output_folder(text: str) -> Path:
    """A folder that can be written or made: a long job must not fail at its end."""
    path = Path(text)
    try:
        existing = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
        if not existing.is_dir():
            raise argparse.ArgumentTypeError(f'{existing} is a file; name a folder' if existing == path.absolute() else
                                             f'{text} cannot be written, because {existing} is a file')
        if not os.access(existing, os.W_OK):
            raise argparse.ArgumentTypeError(f'{text} cannot be written, because {existing} is not writable')
    except OSError as error:
        raise argparse.ArgumentTypeError(f'{text[:200]} cannot be written ({error.strerror})') from error
    return path


def output_video(text: str) -> Path:
    """A video or folder of frames that can be written."""
    path = _video_or_folder(text)
    if path.suffix.lower() not in ('', *VIDEO_SUFFIXES):
        raise argparse.ArgumentTypeError(f'{text} must end in {", ".join(VIDEO_SUFFIXES)}, or in none for a folder of '
                                         'PNG files')
    return path


def output_image(text: str) -> Path:
    """A video, folder of frames or PNG file that can be written, for commands that take images as well as videos."""
    path = _video_or_folder(text)
    if path.suffix.lower() not in ('', *VIDEO_SUFFIXES, '.png'):
        raise argparse.ArgumentTypeError(f'{text} must end in {", ".join(VIDEO_SUFFIXES)}, .png for an image, or in '
                                         'none for a folder of PNG files')
    return path


def _video_or_folder(text: str) -> Path:
    path = Path(text)
    if not path.suffix and path.name and path.is_dir():  # an empty folder gets the frames; others are refused later
        return path
    return output_file(text)


def png_file(text: str) -> Path:
    """A PNG file that can be written."""
    path = output_file(text)
    if path.suffix.lower() != '.png':
        raise argparse.ArgumentTypeError(f'{text} must end in .png')
    return path


def npz_file(text: str) -> Path:
    """A NumPy archive that can be written."""
    path = output_file(text)
    if path.suffix.lower() != '.npz':
        raise argparse.ArgumentTypeError(f'{text} must end in .npz')
    return path
