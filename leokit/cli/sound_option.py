"""The option ``--audio`` of commands that write a video."""

import argparse
from collections.abc import Mapping
from pathlib import Path

NONE = 'none'
NOTICEABLE = 0.1  # seconds; sound is stored in packets of about 0.02


def add_audio(parser: argparse.ArgumentParser, *inputs: str) -> None:
    """Add ``--audio``; ``inputs`` are the command's inputs that can have sound, the first one is the default."""
    parser.add_argument('--audio', metavar='|'.join((*inputs, 'FILE', NONE)),
                        help=f'sound of .mp4, .mov and .mkv: that of an input, of a file, or none; it is copied and '
                             f'ends with the picture (default: {inputs[0]}, if it has sound)')


def find_sound(choice: str | None, inputs: Mapping[str, str | Path | None], out: Path) -> tuple[Path | None, str]:
    """The file whose sound a video gets.

    Args:
        choice (str | None): Value of ``--audio``.
        inputs (Mapping): The command's inputs by the name that ``--audio`` has for them; the first one is the default.
            None for one that is no file.
        out (Path): The video.

    Returns:
        tuple: The file, None for no sound; and a note for the user, such as 'with sound'.

    Raises:
        UserError: If sound is asked for that is not there, or ``out`` cannot have sound.
    """
    from leokit.utils import UserError
    from leokit.video.sound import check_sound_file, sound_problem
    if choice == NONE:
        return None, 'no sound'
    name = choice or next(iter(inputs))
    file = inputs.get(name, choice)
    problem = f'the {name} is no file' if file is None else sound_problem(file, out)
    if choice is None:
        return (None, f'no sound: {problem}') if problem else (Path(file), 'with sound')
    if file is not None and name not in inputs:
        check_sound_file(file)
    if problem:
        raise UserError(f'--audio {choice} is not possible for {out}: {problem}; choose another one, or --audio none')
    return Path(file), f'with the sound of {file}'


def describe_sound(note: str, sound: Path | None, seconds: float) -> str:
    """The note of :func:`find_sound`, and whether the sound and a picture of this length end at different times."""
    from leokit.video.sound import sound_length
    length = sound_length(sound) if sound else None
    if length is None or abs(length - seconds) < NOTICEABLE:
        return note
    if length > seconds:
        return f'{note} (it ends with the picture; {length - seconds:.1f} s of it are left out)'
    return f'{note} (it ends {seconds - length:.1f} s before the picture)'
