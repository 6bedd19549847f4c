"""What a source does with a driving motion: reference frame, amount, smoothing, drift, regions.

With the code α_s of the source, α_d of a driving frame and α_r of the reference, the rendered code is

    relative:  α_s + a R (α_d - α_r)        absolute:  α_s + a R (α_d - α_s)

with the amount a (1) and the region map R (the identity). LIA (ICLR 2022, section 3.4) takes the first driving frame
as reference. If it does not show the pose of the source, all motion is off by the difference; FOMM (NeurIPS 2019)
therefore looks for the best frame by landmarks and drives forwards and backwards from it. Codes of source and driver
can be compared directly, so no landmarks are needed here.
"""

from typing import Iterable, Iterator, NamedTuple

import numpy as np
import torch
from einops import repeat
from torch import Tensor

from leokit.inference.smoothing import OneEuroFilter, check_smoothing, kalman_smooth, moving_average
from leokit.utils import UserError

TRANSFER_MODES = ('relative', 'absolute')
START_FRAMES = ('auto', 'first', 'mean')
# Frames of a video among which 'auto' chooses. On clips of faces with up to 160 frames, the distance of the chosen one
# is on average 3 % above the smallest of all frames (that of the first frame 16 %); 16 frames gain one percent more.
MAX_CANDIDATES = 8


class StartCandidates(NamedTuple):
    """Driving frames that were encoded before the others, for the choice of the reference.

    Attributes:
        frames (tuple[int, ...]): Their numbers.
        codes (Tensor): Their codes, shape (K, N).
    """

    frames: tuple[int, ...]
    codes: Tensor


def check_transfer_mode(mode: str) -> None:
    """Raise for an unknown transfer mode."""
    if mode not in TRANSFER_MODES:
        raise UserError(f'unknown transfer mode {mode!r}; choose one of {", ".join(TRANSFER_MODES)}')


class MotionTransfer:
    """The options of a transfer, and what it found out about the driving motion.

    Args:
        mode (str): ``'relative'`` adds the driving motion since a reference to the source's own pose; ``'absolute'``
            takes over the driving pose.
        start_frame (str | int): The reference of relative transfer: ``'first'``; ``'auto'``, the driving frame whose
            code is nearest to the source's (:func:`nearest_frame`), among ``MAX_CANDIDATES`` evenly spaced ones unless
            all codes are known; ``'mean'``, the mean code of the driving video, so that the mean pose is the source's;
            or the number of a frame, from 0.
        motion_scale (float): Factor on the motion. In absolute transfer, how far the source goes to the driving pose.
        smooth_seconds (float): Time constant of the smoothing of the driving codes; 0 is none.
        smooth_filter (str): ``'kalman'`` (two passes, no delay) or ``'one_euro'`` (past frames only).
        anchor_seconds (float, optional): Remove drift: the mean driving pose over this time, centered on each frame, is
            moved to that of the whole video.
        regions (Tensor, optional): The map R, shape (N, N), see :func:`~leokit.inference.regions.region_map`.

    Attributes:
        start_frames (tuple[int, ...]): The reference frame of each source, once motion has been transferred.
        jitter (tuple[float, float] | None): Of the driving codes before and after smoothing, once all frames are
            transferred: the mean norm of the third difference.
    """

    def __init__(self, *, mode: str = 'relative', start_frame: str | int = 'first', motion_scale: float = 1.0,
                 smooth_seconds: float = 0.0, smooth_filter: str = 'kalman', anchor_seconds: float | None = None,
                 regions: Tensor | None = None) -> None:
        check_transfer_mode(mode)
        check_smoothing(smooth_seconds, smooth_filter)
        if start_frame not in START_FRAMES and (not isinstance(start_frame, int) or start_frame < 0):
            raise UserError(f'the start frame is one of {", ".join(START_FRAMES)} or a number from 0, got '
                            f'{start_frame!r}')
        if anchor_seconds is not None and not anchor_seconds > 0:
            raise UserError(f'the window against drift must be longer than 0 seconds, got {anchor_seconds}')
        self.mode = mode
        self.start_frame = start_frame
        self.motion_scale = motion_scale
        self.smooth_seconds = smooth_seconds
        self.smooth_filter = smooth_filter
        self.anchor_seconds = anchor_seconds
        self.regions = regions
        self.start_frames: tuple[int, ...] = ()
        self.jitter: tuple[float, float] | None = None

    @property
    def needs_whole_video(self) -> bool:
        """bool: Whether all driving codes must be known before the first frame is rendered."""
        later = self._needs_later_frame
        return (later and self.start_frame == 'mean') or self.anchor_seconds is not None or (
            self.smooth_seconds > 0 and (later or self.smooth_filter == 'kalman'))

    @property
    def _needs_later_frame(self) -> bool:
        return self.mode == 'relative' and self.start_frame not in ('first', 0)

    def candidate_frames(self, num_frames: int) -> list[int]:
        """Numbers of the driving frames that must be encoded before the others; none if all must be, or just the first.

        Args:
            num_frames (int): Length of the driving video.
        """
        if self.needs_whole_video or not self._needs_later_frame:
            return []
        if self.start_frame == 'auto':
            return np.unique(np.linspace(0, num_frames - 1, MAX_CANDIDATES).round().astype(int)).tolist()
        self._check_start_frame(num_frames)
        return [self.start_frame]

    def __call__(self, driving: Iterable[Tensor], source: Tensor, fps: float,
                 candidates: StartCandidates | None = None) -> Iterator[Tensor]:
        """The codes to render, piece by piece.

        Args:
            driving (Iterable[Tensor]): Consecutive driving codes, shape (1, t, N) each.
            source (Tensor): Codes of the sources, shape (B, N).
            fps (float): Frames per second of the driving codes.
            candidates (StartCandidates, optional): The frames of :meth:`candidate_frames`. Without them, a reference
                that is not the first frame is looked for in the whole video.

        Yields:
            Tensor: Shape (B, t, N); one piece for each driving piece if the first frames need not wait for the last.
        """
        if self.needs_whole_video:
            candidates = None
        if self.needs_whole_video or (self._needs_later_frame and candidates is None):
            driving = list(driving)
            driving = [torch.cat(driving, dim=1)] if driving else []
        reference: Tensor | None = None  # (B, N)
        for codes in self._filtered(driving, fps):
            codes = codes.to(source.device)
            if reference is None:
                known = candidates or StartCandidates(tuple(range(codes.shape[1])), codes[0])
                reference = source if self.mode == 'absolute' else self._reference(known, source)
            yield self._moved(codes, source, reference)

    def _filtered(self, driving: Iterable[Tensor], fps: float) -> Iterator[Tensor]:
        """Smoothed codes without drift, shape (1, t, N)."""
        before, after = [], []
        one_euro = OneEuroFilter(self.smooth_seconds, fps)
        for codes in driving:
            raw = codes
            if self.smooth_seconds and self.smooth_filter == 'kalman':
                codes = kalman_smooth(codes[0], self.smooth_seconds, fps)[None]
            elif self.smooth_seconds:
                codes = torch.stack([one_euro(code) for code in codes[0].cpu()])[None].to(raw.device)
            if self.smooth_seconds:
                before.append(raw.cpu())
                after.append(codes.cpu())
            if self.anchor_seconds is not None:
                codes = codes - (moving_average(codes[0], self.anchor_seconds, fps) - codes[0].mean(0))
            yield codes
        if sum(piece.shape[1] for piece in before) > 3:
            from leokit.metrics.motion_statistics import jitter  # slow to import
            self.jitter = tuple(float(jitter(torch.cat(pieces, dim=1))) for pieces in (before, after))

    def _reference(self, known: StartCandidates, source: Tensor) -> Tensor:
        """The reference codes (B, N) among those of known frames."""
        codes = known.codes.to(source)
        if self.start_frame == 'mean':
            return codes.mean(0).expand_as(source)
        if self.start_frame == 'auto':
            rows = nearest_frame(codes, source).tolist()
        else:
            number = 0 if self.start_frame == 'first' else self.start_frame
            if number not in known.frames:
                self._check_start_frame(len(codes))
            rows = [known.frames.index(number)] * len(source)
        self.start_frames = tuple(known.frames[row] for row in rows)
        return codes[rows]

    def _check_start_frame(self, num_frames: int) -> None:
        if self.start_frame >= num_frames:
            raise UserError(f'the start frame {self.start_frame} does not exist; the driving video has the frames 0 to '
                            f'{num_frames - 1}')

    def _moved(self, codes: Tensor, source: Tensor, reference: Tensor) -> Tensor:
        codes = repeat(codes, '1 t n -> b t n', b=len(source))
        if self.motion_scale == 1 and self.regions is None:
            return codes if self.mode == 'absolute' else codes + (source - reference)[:, None]
        motion = self.motion_scale * (codes - reference[:, None])
        if self.regions is not None:
            motion = motion @ self.regions.to(motion).t()
        return source[:, None] + motion


def nearest_frame(codes: Tensor, source: Tensor) -> Tensor:
    """The driving frame whose pose is nearest to that of each source: argmin over t of |(α_t - α_s) / σ|.

    σ is the standard deviation of each entry over the driving frames, so entries count alike; constant ones do not
    count. The first of equally near frames is taken.

    Args:
        codes (Tensor): Driving codes α_t, shape (T, N).
        source (Tensor): Codes α_s of the sources, shape (B, N).

    Returns:
        Tensor: Frame numbers, shape (B,), int64.
    """
    deviation = codes.double().std(0, correction=0)
    varies = deviation > 1e-6 * codes.double().abs().amax()
    scaled = (codes.double() / deviation)[:, varies], (source.double() / deviation)[:, varies]
    distances = (scaled[0][None] - scaled[1][:, None]).square().sum(-1)  # (B, T)
    return distances.argmin(1)
