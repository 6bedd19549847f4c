"""Triton kernels of :mod:`leokit.engine.fused_update`: gradient norm, Adam and the average, for all tensors at once.

The tensors are rows of a table of integers with the columns below; an address of 0 stands for a tensor that there is
not. Each program takes one chunk of one tensor. Arithmetic is float32, that of the bias corrections float64.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

# addresses, then the number of elements, the parameter group, and 1 where the gradient is bfloat16
COLUMNS = ('weight', 'grad', 'exp_avg', 'exp_avg_sq', 'step', 'average', 'cast', 'numel', 'group', 'has_short_grad')
# of a parameter group; a share is one minus beta, a decay that of weights within the gradient (Adam) or apart (AdamW)
SETTINGS = ('log_beta1', 'log_beta2', 'share1', 'share2', 'eps', 'inner_decay', 'outer_decay')
NORM_CHUNK, UPDATE_CHUNK, BLOCK = 16384, 8192, 1024  # elements of a program of each kernel, and of one of its loads
ALIGNMENT = tl.constexpr(16)  # bytes: a thread loads four numbers at once
WIDTH, NUM_SETTINGS = tl.constexpr(len(COLUMNS)), tl.constexpr(len(SETTINGS))
CLIP_EPS = tl.constexpr(1e-6)  # that of torch.nn.utils.clip_grad_norm_


@triton.jit
def _pointer(address, dtype: tl.constexpr, aligned: tl.constexpr):
    pointer = address.to(tl.pointer_type(dtype))
    if aligned:
        pointer = tl.multiple_of(pointer, ALIGNMENT)
    return pointer


@triton.jit
def _mask(place, numel, masked: tl.constexpr, block: tl.constexpr):
    # a mask that is true everywhere costs nothing; loads by any other are of single numbers
    return place < numel if masked else tl.full((block,), True, tl.int1)


@triton.jit
def _length(first, numel, masked: tl.constexpr, chunk: tl.constexpr):
    return (numel - first).to(tl.int32) if masked else chunk


@triton.jit
def _gradient(address, is_short, place, mask, aligned: tl.constexpr):
    if is_short:
        grad = tl.load(_pointer(address, tl.bfloat16, aligned) + place, mask=mask, other=0.0).to(tl.float32)
    else:
        grad = tl.load(_pointer(address, tl.float32, aligned) + place, mask=mask, other=0.0)
    return grad


@triton.jit
def _squares(row, first, numel, aligned: tl.constexpr, masked: tl.constexpr, chunk: tl.constexpr,
             block: tl.constexpr):
    """Sum of the squared gradients of a chunk, per position in a block."""
    address, is_short = tl.load(row + 1), tl.load(row + 9) != 0
    total = tl.zeros((block,), tl.float32)
    for start in range(0, _length(first, numel, masked, chunk), block):
        place = first + start + tl.arange(0, block)
        grad = _gradient(address, is_short, place, _mask(place, numel, masked, block), aligned)
        total += grad * grad
    return total


@triton.jit
def _prepare(table, chunks, rates, settings, factors, partials, has_norm: tl.constexpr, aligned: tl.constexpr,
             chunk: tl.constexpr, block: tl.constexpr):
    """Count the steps, find the factors of each tensor's update, and sum the squared gradients of a chunk."""
    program = tl.program_id(0)
    tensor, part = tl.load(chunks + 2 * program), tl.load(chunks + 2 * program + 1)
    row = table + tensor * WIDTH
    if part == 0:
        counter = _pointer(tl.load(row + 4), tl.float32, False)
        step = tl.load(counter) + 1.0
        tl.store(counter, step)
        group = tl.load(row + 8)
        setting = settings + group * NUM_SETTINGS
        # beta ** step; 1 - 0.999 ** step has few digits left in float32
        correction1 = 1.0 - tl.exp(step.to(tl.float64) * tl.load(setting))
        correction2 = 1.0 - tl.exp(step.to(tl.float64) * tl.load(setting + 1))
        step_size = tl.load(rates + group).to(tl.float64) / correction1
        tl.store(factors + 2 * tensor, step_size.to(tl.float32))
        tl.store(factors + 2 * tensor + 1, tl.sqrt(correction2).to(tl.float32))
    if has_norm:
        first, numel = part.to(tl.int64) * chunk, tl.load(row + 7)
        if first + chunk <= numel:
            total = _squares(row, first, numel, aligned, False, chunk, block)
        else:
            total = _squares(row, first, numel, aligned, True, chunk, block)
        tl.store(partials + program, tl.sum(total))


@triton.jit
def _update_chunk(row, first, numel, clipping, average_weight, rates, settings, factors, aligned: tl.constexpr,
                  masked: tl.constexpr, chunk: tl.constexpr, block: tl.constexpr):
    weights = _pointer(tl.load(row), tl.float32, aligned)
    averages = _pointer(tl.load(row + 5), tl.float32, aligned)
    casts = _pointer(tl.load(row + 6), tl.bfloat16, aligned)
    grads, is_short = tl.load(row + 1), tl.load(row + 9) != 0
    has_grad, has_average, has_cast = grads != 0, tl.load(row + 5) != 0, tl.load(row + 6) != 0
    first_moments = _pointer(tl.load(row + 2), tl.float32, aligned)
    second_moments = _pointer(tl.load(row + 3), tl.float32, aligned)
    group = tl.load(row + 8)
    setting = settings + group * NUM_SETTINGS
    share1, share2 = tl.load(setting + 2).to(tl.float32), tl.load(setting + 3).to(tl.float32)
    eps = tl.load(setting + 4).to(tl.float32)
    inner_decay, outer_decay = tl.load(setting + 5).to(tl.float32), tl.load(setting + 6).to(tl.float32)
    rate = tl.load(rates + group)
    step_size, root_correction = tl.load(factors), tl.load(factors + 1)
    for start in range(0, _length(first, numel, masked, chunk), block):
        place = first + start + tl.arange(0, block)
        mask = _mask(place, numel, masked, block)
        weight = tl.load(weights + place, mask=mask, other=0.0)
        average = weight
        if has_average:
            average = tl.load(averages + place, mask=mask, other=0.0)
        if has_grad:
            grad = _gradient(grads, is_short, place, mask, aligned) * clipping + inner_decay * weight
            weight -= rate * outer_decay * weight
            moment1 = tl.load(first_moments + place, mask=mask, other=0.0)
            moment2 = tl.load(second_moments + place, mask=mask, other=0.0)
            # not beta * moment + share * grad: beta and share, rounded to float32, do not add up to one
            moment1 += share1 * (grad - moment1)
            moment2 += share2 * (grad * grad - moment2)
            weight -= step_size * moment1 / (tl.sqrt(moment2) / root_correction + eps)
            tl.store(first_moments + place, moment1, mask=mask)
            tl.store(second_moments + place, moment2, mask=mask)
            tl.store(weights + place, weight, mask=mask)
        if has_average:
            tl.store(averages + place, average + average_weight * (weight - average), mask=mask)
        if has_cast:
            tl.store(casts + place, weight.to(tl.bfloat16), mask=mask)


@triton.jit(do_not_specialize=['num_partials'])
def _update(table, chunks, rates, settings, factors, partials, num_partials, norm, average_weight, max_norm,
            has_norm: tl.constexpr, aligned: tl.constexpr, chunk: tl.constexpr, block: tl.constexpr):
    """Clip, update, average and cast a chunk."""
    program = tl.program_id(0)
    clipping = 1.0
    if has_norm:
        # every program adds the same numbers in the same order
        total = tl.zeros((block,), tl.float32)
        for start in range(0, num_partials, block):
            place = start + tl.arange(0, block)
            total += tl.load(partials + place, mask=place < num_partials, other=0.0)
        length = tl.sqrt(tl.sum(total))
        if program == 0:
            tl.store(norm, length)
        clipping = max_norm / (length + CLIP_EPS)
        clipping = tl.where(clipping > 1.0, 1.0, clipping)  # a minimum would drop NaN
    tensor, part = tl.load(chunks + 2 * program), tl.load(chunks + 2 * program + 1)
    row, factors = table + tensor * WIDTH, factors + 2 * tensor
    first, numel, average_share = part.to(tl.int64) * chunk, tl.load(row + 7), tl.load(average_weight)
    if first + chunk <= numel:
        _update_chunk(row, first, numel, clipping, average_share, rates, settings, factors, aligned, False, chunk,
                      block)
    else:
        _update_chunk(row, first, numel, clipping, average_share, rates, settings, factors, aligned, True, chunk, block)


def update(table: Tensor, norm_chunks: Tensor, update_chunks: Tensor, rates: Tensor, settings: Tensor,
           average_weight: Tensor, max_norm: float | None, *, aligned: bool) -> Tensor | None:
    """Clip gradients by their norm, step, average and cast.

    Args:
        table (Tensor): One row per tensor with the ``COLUMNS``, int64, shape (N, 10). Tensors are dense and have the
            same layout, those without a gradient are averaged only. Casts are bfloat16.
        norm_chunks (Tensor): Row and number of each chunk of ``NORM_CHUNK`` elements that has gradients, int32, shape
            (P, 2); P is not zero.
        update_chunks (Tensor): Row and number of each chunk of ``UPDATE_CHUNK`` elements, int32, shape (Q, 2).
        rates (Tensor): Learning rate of each parameter group, float32, shape (G,).
        settings (Tensor): ``SETTINGS`` of each parameter group, float64, shape (G, 7).
        average_weight (Tensor): Weight of the new values in the average, float32, a scalar.
        max_norm (float, optional): Largest norm of all gradients; None does not clip.
        aligned (bool): All addresses are multiples of 16, except those of step counts.

    Returns:
        Tensor: Norm of the gradients before clipping, a scalar; None without clipping.
    """
    def empty(*shape: int) -> Tensor:
        return torch.empty(shape, device=table.device)

    factors, partials, norm = empty(len(table), 2), empty(len(norm_chunks)), empty()
    has_norm = max_norm is not None
    with torch.cuda.device_of(table):
        _prepare[len(norm_chunks),](table, norm_chunks, rates, settings, factors, partials, has_norm=has_norm,
                                    aligned=aligned, chunk=NORM_CHUNK, block=BLOCK, num_warps=8)
        _update[len(update_chunks),](
            table, update_chunks, rates, settings, factors, partials, len(partials), norm, average_weight,
            max_norm if has_norm else 1.0, has_norm=has_norm, aligned=aligned, chunk=UPDATE_CHUNK, block=BLOCK,
            num_warps=8)
    return norm if has_norm else None
