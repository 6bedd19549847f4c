"""Motion transfer and first-frame edits against the frames that a perfect animator would render, on SyntheticFaces.

The renderer shows any appearance in any motion. So the true frames are known when the motion of one identity drives
another one (disentanglement; LEO, arXiv 2305.03989, section 4.4), and when a video is edited through its first frame
(section 4.5). In every case the source image has the pose of the first driving frame.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from leokit.evaluation.uncertainty import jackknife_std
from leokit.inference.motion_transfer import check_transfer_mode
from leokit.inference.rendering import encode, render
from leokit.models import Animator
from leokit.motion_spaces import relative_motion
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError, progress_bar
from leokit.utils.indices import evenly_spaced_indices
from leokit.utils.pixels import from_uint8
from leokit.utils.tables import MISSING, markdown_score, markdown_table

OWN, OTHER, COLORS, GLASSES = 'same identity', 'other identity', 'edit: colors', 'edit: glasses'
CASES = (OWN, OTHER, COLORS, GLASSES)
RECOLORED = ('skin', 'hair_color', 'brow_color', 'lips', 'cloth', 'trim')  # taken from another identity
QUANTITIES = {'l1': (0, 2), 'copy_l1': (1, 2), 'ratio_l1': (1, 0),
              'kept': (3, 5), 'kept_late': (6, 7), 'copy_kept': (4, 5)}  # above and below the line, of _sums
MIN_VIDEOS = 3  # of different identities, for a standard error


@torch.no_grad()
def measure_transfer(animator: Animator, truth: SyntheticTruth, *, num_videos: int = 64, num_frames: int = 32,
                     mode: str = 'relative') -> dict[str, Any]:
    """Animate faces whose true frames are known.

    The four cases are the driving identity itself, the next one, and the driving identity with two edits of its first
    frame: the colors of skin, hair and clothes of the next one, and glasses put on or taken off.

    Args:
        animator (Animator): In evaluation mode.
        truth (SyntheticTruth): Parameters of the driving videos, best of identities that the animator has not seen.
            Their frames are rendered, so the videos themselves are not needed.
        num_videos (int): Maximum number of driving videos, one per identity, evenly spaced.
        num_frames (int): Frames T of each, from its beginning, at least 2. The first one, the source, is not measured.
        mode (str): ``'relative'`` or ``'absolute'`` transfer.

    Returns:
        dict: ``videos`` (names), ``frames``, ``mode``, and ``cases``: by case and quantity, the value and its jackknife
        error over videos. ``l1``: mean absolute difference to the true frames, of a range of 1; ``copy_l1``: that of
        the repeated source; ``ratio_l1``: the second over the first. In all cases but the first, ``kept``: the part of
        the true difference from the driving identity that the animation shows, 0 none, 1 all; ``kept_late``: the same
        in the last quarter of the frames; ``copy_kept``: that of the repeated sources.
    """
    check_transfer_mode(mode)
    rows = _select(truth, num_videos, num_frames)
    sums: dict[str, list[list[float]]] = {case: [] for case in CASES}
    with progress_bar(len(rows), 'transfer', unit='video') as bar:
        for row, other in zip(rows, rows[1:] + rows[:1]):
            frames = _true_frames(truth, row, other, num_frames, animator.size)  # (cases, T, 3, S, S)
            animated = _animate(animator, frames, mode)
            for index, case in enumerate(CASES):
                sums[case].append(_sums(frames[index], animated[index], frames[0], animated[0]))
            bar.update()
    return dict(videos=[truth.names[row] for row in rows], frames=num_frames, mode=mode, cases={
        case: {name: _with_error(torch.tensor(values, dtype=torch.float64), *pair)
               for name, pair in QUANTITIES.items() if case != OWN or max(pair) < 3} for case, values in sums.items()})


def transfer_table(result: dict[str, Any]) -> str:
    """The result of :func:`measure_transfer` as a Markdown table."""
    rows = [[case, *(markdown_score(*values[key]) if key in values else MISSING for key in QUANTITIES)]
            for case, values in result['cases'].items()]
    title = f'{len(result["videos"])} videos of {result["frames"]} frames, {result["mode"]} transfer'
    return f'{title}\n\n' + markdown_table(['', *QUANTITIES], rows)


def _select(truth: SyntheticTruth, count: int, num_frames: int) -> list[int]:
    """Rows of the driving videos."""
    if not 2 <= num_frames <= truth.motion.shape[1]:
        raise UserError(f'the videos have {truth.motion.shape[1]} frames; use from 2 up to that many, got {num_frames}')
    first = list({identity: row for row, identity in reversed(list(enumerate(truth.identities)))}.values())[::-1]
    if min(count, len(first)) < MIN_VIDEOS:
        raise UserError(f'{min(count, len(first))} identities are too few for an error; use at least {MIN_VIDEOS}')
    return [first[index] for index in evenly_spaced_indices(len(first), count)]


def _true_frames(truth: SyntheticTruth, row: int, other: int, num_frames: int, size: int) -> Tensor:
    """Every case in the motion of one video, shape (cases, T, 3, S, S) in [-1, 1]."""
    own, guest = (truth.appearance[index] for index in (row, other))
    colored = np.array([name.rpartition('_')[0] in RECOLORED for name in truth.appearance_names])
    glasses = np.array([name == 'glasses' for name in truth.appearance_names])
    cases = (row, own), (other, guest), (row, np.where(colored, guest, own)), (row, np.where(glasses, 1 - own, own))
    motion = truth.motion[row, :num_frames]
    return torch.stack([from_uint8(truth.frames(index, motion, size=size, appearance=look, noise=False))
                        for index, look in cases])


def _animate(animator: Animator, frames: Tensor, mode: str) -> Tensor:
    """The first frame of every case, driven by the codes of the first case; shaped like ``frames``, on the CPU."""
    driving = encode(animator, frames[0]).motion.float()  # (T, N)
    sources = encode(animator, frames[:, 0])
    codes = driving.expand(len(frames), -1, -1)
    if mode == 'relative':
        codes = relative_motion(codes, codes[:, 0], sources.motion.float())
    return torch.cat([chunk.cpu() for chunk in render(animator, sources, codes)], dim=1)


def _sums(true: Tensor, animated: Tensor, own: Tensor, animated_own: Tensor) -> list[float]:
    """Sums over the pixels of all frames but the first, of which :data:`QUANTITIES` are ratios.

    Args:
        true (Tensor): Frames (T, 3, S, S) of a case.
        animated (Tensor): Their animation.
        own (Tensor): The true frames of the driving identity.
        animated_own (Tensor): Their animation.
    """
    source, true, animated = (frames.double() for frames in (true[:1], true[1:], animated[1:]))
    source_own, own, animated_own = (frames.double() for frames in (own[:1], own[1:], animated_own[1:]))
    change = true - own
    shown, size = (animated - animated_own) * change, change.square()
    late = slice(len(true) * 3 // 4, None)
    return [float(values.sum()) for values in (
        (animated - true).abs() / 2, (source - true).abs() / 2, torch.ones_like(true),
        shown, (source - source_own) * change, size, shown[late], size[late])]


def _with_error(sums: Tensor, above: int, below: int) -> tuple[float, float]:
    """A ratio of sums over videos (V, sums), and its jackknife error."""
    def ratio(part: Tensor) -> float:
        return float(part[:, above].sum() / part[:, below].sum())
    return ratio(sums), jackknife_std(ratio, sums, groups=len(sums))
