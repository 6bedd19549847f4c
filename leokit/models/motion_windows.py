"""Long sequences of a motion diffusion, window by window (:meth:`MotionDiffusion.extend`)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from leokit.long_video import LongVideoStrategy
from leokit.models.motion_inpainting import inpainting_correction

if TYPE_CHECKING:
    from leokit.models.motion_diffusion import MotionDiffusion


class KnownCodes(NamedTuple):
    """Codes that a sequence must pass through.

    Attributes:
        codes (Tensor): Raw codes, shape (B, T, N); codes of frames that are not given are not used.
        mask (Tensor): True where a code is given, bool, shape (B, T) or (T,).
        reach (int): Frames on either side of a given one that its offset moves along.
    """

    codes: Tensor
    mask: Tensor
    reach: int = 16


def sample_windows(model: 'MotionDiffusion', start: Tensor, total_frames: int, num_frames: int,
                   strategy: LongVideoStrategy, *, dependent: bool, control: Tensor | None = None,
                   known: KnownCodes | None = None, **options: Any) -> Iterator[Tensor]:
    """Sample a long sequence.

    Args:
        model (MotionDiffusion): The model.
        start (Tensor): Raw first codes, shape (B, N).
        total_frames (int): Frames to generate.
        num_frames (int): Frames of one window.
        strategy (LongVideoStrategy): How windows are joined.
        dependent (bool): Whether a window continues the one before it.
        control (Tensor, optional): Control, shape (B, total_frames, C).
        known (KnownCodes, optional): Codes of ``total_frames`` frames to pass through.
        **options: Of :meth:`MotionDiffusion.sample`.

    Yields:
        Tensor: Raw codes of consecutive frames, shape (B, t, N).
    """
    std = model.normalizer.std / model.normalizer.unit()  # of normalized codes
    context, output = None, 0  # last codes of the previous window; how many of them are output already
    first, remaining = 0, total_frames  # first frame of the window
    while remaining > 0:
        correction = strategy.correction(None if context is None else model.normalizer.normalize(context), std)
        given = None
        if known is not None:
            fixed = start[:, None] if context is None else context[:, :max(output, 1)]
            given = _given_codes(known, first, num_frames, fixed if model.motion_condition.uses_start else fixed[:, :0])
            inpaint = inpainting_correction(model.normalizer.normalize(given.codes), given.mask, known.reach)
            correction = inpaint if correction is None else correction.then(inpaint)
        part = None if control is None else hold_last(control[:, first:], num_frames)
        window = model.sample(start, num_frames, correction=correction, control=part, **options)
        if given is not None:  # without the rounding of normalization and back
            window = torch.where(given.mask[..., None], given.codes, window)
        new = window[:, output:num_frames - strategy.pending_frames]
        yield new[:, :remaining]
        remaining -= new.shape[1]
        first += num_frames
        if dependent:
            context = window[:, -strategy.context_frames:]
            output = strategy.context_frames - strategy.pending_frames
            start = context[:, 0]
            first -= strategy.context_frames


def hold_last(rows: Tensor, num_frames: int) -> Tensor:
    """The first ``num_frames`` rows of (B, T, C); past the end the last one, since a window may exceed the video."""
    rows = rows[:, :num_frames]
    return torch.cat([rows, rows[:, -1:].expand(-1, num_frames - rows.shape[1], -1)], dim=1)


def _given_codes(known: KnownCodes, first: int, num_frames: int, fixed: Tensor) -> KnownCodes:
    """The given codes of the window that starts at frame ``first``, of which the codes ``fixed`` are output already."""
    mask = known.mask.expand(known.codes.shape[:2])[:, first:first + num_frames]
    past_end = mask.new_zeros(len(mask), num_frames - mask.shape[1])
    mask = torch.cat([torch.ones_like(mask[:, :fixed.shape[1]]), mask[:, fixed.shape[1]:], past_end], dim=1)
    codes = hold_last(known.codes[:, first:], num_frames)
    return KnownCodes(torch.cat([fixed, codes[:, fixed.shape[1]:]], dim=1), mask)
