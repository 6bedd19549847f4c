"""From motion codes to frames, chunk by chunk.

The source is encoded once; its feature pyramid stays on the device while the codes are rendered in chunks, so memory
does not grow with the number of frames.
"""

from typing import Callable, Iterable, Iterator

import torch
from einops import repeat
from torch import Tensor, nn

from leokit.encoders import Encoding
from leokit.inference.source_details import SourceDetails
from leokit.models import Animator
from leokit.motion_spaces import frozen
from leokit.utils import UserError, check_shape
from leokit.utils.modules import device_of
from leokit.utils.pixels import from_uint8

CHUNK_SIZE = 32  # frames per forward pass; more need more memory and are not faster


def encode(animator: Animator, images: Tensor, *, amp: bool = False) -> Encoding:
    """Encode images (B, 3, S, S) from any device, in [-1, 1] or uint8, on the animator's device.

    The animator is in evaluation mode; ``amp`` encodes under bfloat16 autocast.
    """
    device = device_of(animator)
    check_precision(animator)
    # convolutions keep the layout of their input, and channels-last is the faster one
    images = images.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        return animator.encode(from_uint8(images) if images.dtype == torch.uint8 else images)


def check_precision(model: nn.Module) -> None:
    """Raise for a model whose weights were cast to another precision, such as by ``model.half()``."""
    kinds = {parameter.dtype for parameter in model.parameters()} - {torch.float32}
    if kinds:
        raise UserError(f'the {type(model).__name__} has weights of type {kinds.pop()}, but its arithmetic needs '
                        'float32; call model.float(), and pass amp=True for mixed precision')


def render(animator: Animator, encoding: Encoding, motion: Tensor | Iterable[Tensor], *,
           start: Tensor | None = None, chunk_size: int = CHUNK_SIZE, amp: bool = False,
           draw: Callable[[Tensor], Tensor] | None = None, details: SourceDetails | None = None) -> Iterator[Tensor]:
    """Render motion codes to frames of the encoded sources.

    Args:
        animator (Animator): The animator of the encoding and the codes, in evaluation mode.
        encoding (Encoding): The encodings of B sources; of one source, it serves every row of ``motion``.
        motion (Tensor | Iterable[Tensor]): Motion codes, shape (B, T, N), or consecutive pieces of them (B, t, N),
            which are requested when they are needed.
        start (Tensor, optional): Codes of shape (B, N) that the motion is relative to; None for absolute transfer.
        chunk_size (int): Frames per forward pass, counted over the batch; at least one time step is rendered.
        amp (bool): Render under bfloat16 autocast.
        draw (Callable, optional): Renders codes (B, t, N) on the device in place of the animator, see
            :class:`~leokit.inference.chunk_runner.ChunkRunner`; without ``start``.
        details (SourceDetails, optional): Of the sources, in place of ``draw``: frames have their resolution.

    Yields:
        Tensor: Consecutive float frames in [-1, 1], shape (B, t, 3, H, W), on the animator's device.
    """
    if chunk_size < 1:
        raise ValueError(f'chunk_size must be at least 1, got {chunk_size}')
    device = encoding.motion.device
    to_latent = frozen(animator.motion_space) if draw is None else None  # for all chunks
    for piece in [motion] if isinstance(motion, Tensor) else motion:
        check_shape('motion', piece, (None, None, animator.motion_dim))
        for codes in piece.split(max(1, chunk_size // len(piece)), dim=1):
            if draw is not None:
                yield draw(codes.to(device))
                continue
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
                animation = animator.animate(encoding, codes.to(device), start, to_latent=to_latent)
            for frames in [animation.frames] if details is None else details(animation):
                yield frames.float().clamp(-1, 1)


def repeat_encoding(encoding: Encoding, count: int) -> Encoding:
    """Repeat each of B sources for ``count`` motions: B * count encodings, those of one source adjacent.

    A single source is not copied, because it broadcasts.
    """
    if count == 1 or len(encoding.motion) == 1:
        return encoding

    def repeated(tensor: Tensor) -> Tensor:
        return repeat(tensor, 'b ... -> (b count) ...', count=count)

    return Encoding(repeated(encoding.appearance), repeated(encoding.motion), tuple(map(repeated, encoding.features)))
