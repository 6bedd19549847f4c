"""Tiny videos, and raters without a browser."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

METHODS = ('zebramethod', 'walrusmethod', 'ospreymethod')  # words that base64 or prose do not hold by chance
RESOLUTION, LENGTH = 48, 8


def moving_frames(seed=0, length=LENGTH, height=RESOLUTION, width=RESOLUTION):
    """Moving color waves, uint8, (length, height, width, 3)."""
    time, y, x = np.meshgrid(np.arange(length), np.arange(height), np.arange(width), indexing='ij')
    waves = [np.sin((x + 5 * time + 9 * seed) / 6), np.cos((y - 4 * time + 5 * seed) / 8), np.sin((x + y + seed) / 9)]
    return (128 + 110 * np.stack(waves, axis=-1)).astype(np.uint8)


def write_video(path, frames, fps=25, title='untitled'):
    """Write an MP4 file that carries a title."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        container.metadata['title'] = title
        stream = container.add_stream('mpeg4', rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], 'yuv420p'
        stream.bit_rate = 2_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())


def make_folders(root, methods=METHODS, count=6):
    """Folders of ``count`` clips of the same names; every method's clips differ and carry the method's name."""
    folders = {}
    for number, method in enumerate(methods):
        folders[method] = Path(root) / f'results_of_{method}'
        for i in range(count):
            write_video(folders[method] / f'clip_{i}.mp4', moving_frames(seed=i + 10 * number), title=method)
    return folders


def rate(key, rater, form, choose, keep=None, session=None, saved='2025-01-01T00:00:00Z'):
    """The results of a rater who answers a form.

    Args:
        key: The study's key.
        rater: The rater's name.
        form: Number of the form.
        choose: Function (trial, left, right) -> choice; it is called for pairs only; attention checks are passed.
        keep: Number of answers; all by default.
    """
    answers = []
    for number, flipped in key.forms[form][:keep]:
        trial = key.trials[number]
        left, right = trial.videos[::-1] if flipped else trial.videos
        if trial.is_check:
            choice = 'left' if left == trial.right_answer else 'right'
        else:
            choice = choose(trial, left, right)
        answers.append(dict(trial=trial.id, left=left, right=right, choice=choice, reaction_ms=1000 + 10 * number,
                            viewing_ms=2000, plays=[1, 1], changes=0))
    return dict(format='leokit user study results', version=1, page_hash=key.page_hash, rater=rater,
                session=session or f'session of {rater}', form=form, saved=saved, answers=answers)


def prefer(key, method):
    """A rater who always prefers one method, and else the left video."""
    def choose(trial, left, right):
        liked = [video for video in (left, right) if key.videos[video]['method'] == method]
        return 'right' if liked == [right] else 'left'
    return choose
