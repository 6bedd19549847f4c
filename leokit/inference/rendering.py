"""From motion codes to frames, in chunks: the one place where long videos are decoded.

The source is encoded once; its feature pyramid stays on the device while chunk after chunk of codes is decoded, so
memory does not grow with the number of frames.
"""

from typing import Iterable, Iterator

import torch
from torch import Tensor

from leokit.encoders import Encoding
from leokit.models import Animator
from leokit.utils import check_shape
from leokit.utils.modules import device_of
from leokit.utils.pixels import from_uint8

CHUNK_SIZE = 32  # frames per forward pass; decoding speed is flat beyond this, memory is not


def encode(animator: Animator, images: Tensor, *, amp: bool = False) -> Encoding:
    """Encode prepared images where the animator lives.

    Args:
        animator (Animator): A trained animator, in evaluation mode.
        images (Tensor): Shape (B, 3, S, S) on any device, in [-1, 1] or uint8.
        amp (bool): Encode under bfloat16 autocast.

    Returns:
        Encoding: Their encodings.
    """
    device = device_of(animator)
    # what comes of channels-last images stays channels-last: the faster layout of convolutions on a GPU
    layout = torch.channels_last if device.type == 'cuda' else torch.contiguous_format
    images = images.to(device, non_blocking=True).contiguous(memory_format=layout)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        return animator.encode(from_uint8(images) if images.dtype == torch.uint8 else images)


def render(animator: Animator, encoding: Encoding, motion: Tensor | Iterable[Tensor], *,
           start: Tensor | None = None, chunk_size: int = CHUNK_SIZE, amp: bool = False) -> Iterator[Tensor]:
    """Decode motion codes to frames of the encoded sources.

    Args:
        animator (Animator): The animator that made ``encoding`` and the codes, in evaluation mode.
        encoding (Encoding): ``animator.encode`` of B sources; of one source, it serves every row of ``motion``.
        motion (Tensor | Iterable[Tensor]): Motion codes, shape (B, T, N), or consecutive pieces of them (B, t, N).
            Pieces are asked for when they are needed.
        start (Tensor, optional): Codes of shape (B, N) that the motion is relative to; None transfers absolutely.
        chunk_size (int): Frames per forward pass, counted over the batch; at least one time step is decoded.
        amp (bool): Decode under bfloat16 autocast.

    Yields:
        Tensor: Consecutive float frames in [-1, 1], shape (B, t, 3, H, W), on the animator's device.

    Raises:
        ValueError: If ``chunk_size`` is less than 1 or a piece of ``motion`` has another shape.
    """
    if chunk_size < 1:
        raise ValueError(f'chunk_size must be at least 1, got {chunk_size}')
    device = encoding.motion.device
    for piece in [motion] if isinstance(motion, Tensor) else motion:
        check_shape('motion', piece, (None, None, animator.motion_dim))
        for codes in piece.split(max(1, chunk_size // len(piece)), dim=1):
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
                frames = animator.animate(encoding, codes.to(device), start).frames
            yield frames.float().clamp(-1, 1)


def repeat_encoding(encoding: Encoding, count: int) -> Encoding:
    """Repeat every source of a batch for several motions; a single source is left to broadcast.

    Args:
        encoding (Encoding): The encodings of B sources.
        count (int): How many motions each source gets.

    Returns:
        Encoding: B * count encodings, each source's repeats side by side; ``encoding`` itself if nothing is to do.
    """
    if count == 1 or len(encoding.motion) == 1:
        return encoding
    return Encoding(
        appearance=encoding.appearance.repeat_interleave(count, dim=0),
        motion=encoding.motion.repeat_interleave(count, dim=0),
        features=tuple(level.repeat_interleave(count, dim=0) for level in encoding.features))
