"""Recall and precision of scene-cut detection on clips that edits are planted into at known frames."""

import time
from typing import Callable, Iterator, NamedTuple, Sequence

import numpy as np

from leokit.utils import UserError, progress_bar
from leokit.video.cleaning import inspect_clip
from leokit.video.cleaning.scene_cuts import find_scene_cuts_pyscenedetect
from leokit.video.readers import AutoReader
from leokit.video.resize import fit_frames
from leokit.video.video_entry import VideoEntry

SIDE = 256
SHOT = 50  # frames of a shot
TRANSITION = 12  # frames of dissolves and fades
FAST = 3  # every third frame: three times as fast
TOLERANCE = 1  # frames between a cut and its detection; a transition counts anywhere within it

Detector = Callable[[np.ndarray, float], list[int]]  # frames, rate -> frames of the cuts


class Edit(NamedTuple):
    """A clip with one planted edit, or none.

    Attributes:
        kind (str): 'none', 'fast' (motion at three times the speed), 'cut' (to another person), 'fast_cut', 'jump' (25
            to 40 frames of a shot are left out), 'dissolve', or 'fade' (through black).
        frames (np.ndarray): uint8 (T, H, W, 3).
        start (int): First frame of the new shot, or of the transition; -1 without one.
        end (int): End of the transition; of a cut ``start + 1``.
    """

    kind: str
    frames: np.ndarray
    start: int = -1
    end: int = -1


class Accuracy(NamedTuple):
    """Counts of one detector on one kind of edit."""

    edits: int
    found: int
    false: int
    frames: int


def plant_edits(videos: Sequence[VideoEntry], rounds: int = 1, seed: int = 0) -> Iterator[Edit]:
    """One edit of each kind for each round and video, from clips that have no cuts of their own."""
    rng, reader = np.random.default_rng(seed), AutoReader()
    usable = [video for video in videos if video.frames >= FAST * SHOT // 2]
    if len({video.identity for video in usable}) < 2:
        raise UserError(f'edits need clips of at least two identities with {FAST * SHOT // 2} frames or more')
    for _ in range(rounds):
        for video in usable:
            other = usable[rng.integers(len(usable))]
            while other.identity == video.identity:
                other = usable[rng.integers(len(usable))]
            yield from _edits(*(_read(reader, item) for item in (video, other)), rng)


def measure_accuracy(edits: Iterator[Edit], detectors: dict[str, Detector], rate: float = 25.0,
                     total: int | None = None) -> tuple[dict[tuple[str, str], Accuracy], dict[str, float]]:
    """Run detectors on edits.

    Returns:
        tuple: :class:`Accuracy` by detector and kind; and milliseconds per frame by detector.
    """
    counts: dict[tuple[str, str], np.ndarray] = {}
    seconds, frames = dict.fromkeys(detectors, 0.0), 0
    with progress_bar(total, 'detecting planted cuts', unit='clip') as bar:
        for edit in edits:
            frames += len(edit.frames)
            for name, detect in detectors.items():
                started = time.process_time()
                cuts = detect(edit.frames, rate)
                seconds[name] += time.process_time() - started
                hits = [cut for cut in cuts if edit.start - TOLERANCE <= cut < edit.end + TOLERANCE]
                row = counts.setdefault((name, edit.kind), np.zeros(4, np.int64))
                row += [edit.start >= 0, bool(hits), len(cuts) - len(hits), len(edit.frames)]
            bar.update()
    return ({key: Accuracy(*map(int, row)) for key, row in counts.items()},
            {name: 1000 * value / max(frames, 1) for name, value in seconds.items()})


def leokit_cuts(frames: np.ndarray, rate: float) -> list[int]:
    """Cuts of the check ``scene_cut``."""
    return [finding.start for finding in inspect_clip(frames, rate, ('scene_cut',))]


def leokit_cuts_and_fades(frames: np.ndarray, rate: float) -> list[int]:
    """Cuts, and the middles of transitions, of the checks ``scene_cut`` and ``fade``."""
    return [(finding.start + finding.end - 1) // 2 for finding in inspect_clip(frames, rate, ('scene_cut', 'fade'))]


def pyscenedetect_cuts(frames: np.ndarray, rate: float) -> list[int]:
    """Cuts of PySceneDetect's adaptive detector."""
    return [finding.start for finding in find_scene_cuts_pyscenedetect([frames], rate)]


DETECTORS: dict[str, Detector] = {
    'scene_cut': leokit_cuts, 'scene_cut and fade': leokit_cuts_and_fades,
    'PySceneDetect AdaptiveDetector': pyscenedetect_cuts}


def _edits(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> Iterator[Edit]:
    half = SHOT // 2
    yield Edit('none', first[:FAST * half])
    yield Edit('fast', first[::FAST])
    a, b = first[:SHOT], second[:SHOT]
    yield Edit('cut', np.concatenate([a, b]), len(a), len(a) + 1)
    fast = first[::FAST][:half]
    yield Edit('fast_cut', np.concatenate([fast, second[::FAST][:half]]), len(fast), len(fast) + 1)
    left_out = int(rng.integers(25, 41))
    if len(first) >= half + left_out + 10:
        yield Edit('jump', np.concatenate([first[:half], first[half + left_out:][:SHOT]]), half, half + 1)
    weight = (np.arange(1, TRANSITION + 1) / (TRANSITION + 1))[:, None, None, None].astype(np.float32)
    ends = first[half:half + TRANSITION] * (1 - weight), second[:TRANSITION] * weight
    rest = second[TRANSITION:SHOT]
    end = half + TRANSITION
    yield Edit('dissolve', np.concatenate([first[:half], np.rint(sum(ends)).astype(np.uint8), rest]), half, end)
    dark = np.abs(1 - 2 * weight)
    source = np.concatenate([first[half:half + TRANSITION // 2], second[TRANSITION // 2:TRANSITION]])
    yield Edit('fade', np.concatenate([first[:half], np.rint(source * dark).astype(np.uint8), rest]), half, end)


def _read(reader: AutoReader, video: VideoEntry) -> np.ndarray:
    with reader.open(video.path) as opened:
        return fit_frames(opened.read(np.arange(min(len(opened), 2 * FAST * SHOT))), SIDE)
