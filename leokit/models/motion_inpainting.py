"""Inpainting in time: sequences that pass through given frames, by any trained motion diffusion.

Replacing the predicted clean frames by the given ones at every sampling step (the replacement method of arXiv
2204.03458, section 3.1) meets the given frames, but leaves a jump beside a single one: the network hardly reacts to
one replaced frame. Here the offset of each given frame from its prediction also moves the frames around it, by a weight
that decreases linearly to 0 at the next given frame or after ``reach`` frames.
"""

import torch
from torch import Tensor

from leokit.samplers import Correction
from leokit.utils import UserError, check_shape


def inpainting_correction(known: Tensor, mask: Tensor, reach: int) -> Correction:
    """The map of the predicted clean sequence at every sampling step.

    Args:
        known (Tensor): Sequences that hold the given codes, shape (B, T, N); other frames are not used.
        mask (Tensor): True where a code is given, bool, shape (B, T).
        reach (int): Frames on either side over which the offset of a given frame decreases to 0; with 1, no other
            frame moves.

    Returns:
        Correction: Maps sequences (B, T, N) to sequences that have the given codes.
    """
    check_shape('known', known, (None, None, None))
    check_shape('mask', mask, tuple(known.shape[:2]))
    if mask.dtype != torch.bool:
        raise UserError(f'mask must be a tensor of booleans, got {mask.dtype}; use mask.bool()')
    if reach < 1:
        raise UserError(f'reach={reach} must be 1 or more frames')
    if not torch.isfinite(known[mask]).all():
        raise UserError('given codes must be finite; set the mask to False where a code is unknown')
    weights = _weights(mask, reach).to(known)  # (B, T, T)

    def correct(sequence: Tensor, known: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
        offset = torch.where(mask[..., None], known - sequence, 0.0)  # (B, T, N)
        moved = sequence + weights.to(sequence.dtype) @ offset
        return torch.where(mask[..., None], known, moved)  # exactly, without rounding

    return Correction(correct, (known, mask, weights), 'inpainting')


def _weights(mask: Tensor, reach: int) -> Tensor:
    """Weight of the offset of given frame s on frame t, shape (B, T, T): 1 at t = s, 0 at other given frames."""
    frames = torch.arange(mask.shape[1], device=mask.device)
    # the nearest given frames before and after each frame, itself excluded; far away if there is none
    far = mask.shape[1] + reach
    given = mask[:, None, :]  # (B, 1, T)
    before = torch.where(given & (frames[None, :] < frames[:, None]), frames[None, :], -far).amax(-1)  # (B, T)
    after = torch.where(given & (frames[None, :] > frames[:, None]), frames[None, :], far).amin(-1)  # (B, T)
    left = (frames - before).clamp(max=reach)[:, None, :]  # widths of given frame s, (B, 1, T)
    right = (after - frames).clamp(max=reach)[:, None, :]
    distance = frames[:, None] - frames[None, :]  # t - s, (T, T)
    width = torch.where(distance < 0, left, right)
    return (1 - distance.abs() / width).clamp(min=0) * given
