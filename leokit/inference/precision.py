"""Storing weights in half precision where it costs nothing: which tensors, and what it changes in the output.

Matrices and convolutions are rounded; vectors, statistics and the motion dictionary, which are small, are not. If the
output changes by more than a tolerance, the tensors that change it most stay in float32 as well.
"""

import copy
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

DTYPES = dict(float16=torch.float16, bfloat16=torch.bfloat16, float32=torch.float32)
NOT_ROUNDED = ('motion_space.',)  # its QR decomposition spreads an error over all directions
TOLERANCE = 0.01  # root mean square change of the output, in units of the output's standard deviation
PROBES = 2  # samples that outputs are compared on
PROBE_SEED = 0


class Rounding(NamedTuple):
    """Stored weights, and the change of the model's output that they cause.

    Attributes:
        state (dict[str, Tensor]): The state dict, in the chosen precisions.
        rounded (int): Tensors in half precision.
        kept (list[str]): Tensors that stay in float32 because rounding them changes the output too much.
        max_difference (float): Largest difference of the output, in its own unit.
        relative (float): Root mean square difference, in standard deviations of the output.
    """

    state: dict[str, Tensor]
    rounded: int
    kept: list[str]
    max_difference: float
    relative: float


def round_weights(model: nn.Module, dtype: torch.dtype, *, tolerance: float = TOLERANCE,
                  probe: Callable[[nn.Module], Tensor] | None = None) -> Rounding:
    """Choose the tensors of a model to store in half precision.

    Args:
        model (nn.Module): A trained model in evaluation mode, in float32; it is not changed.
        dtype (torch.dtype): ``torch.float16`` or ``torch.bfloat16``; ``torch.float32`` rounds nothing.
        tolerance (float): Root mean square change of the output that is accepted, in standard deviations of the output.
        probe (Callable, optional): Maps a model to the output that is compared; :func:`probe_output` by default.

    Raises:
        UserError: The output changes by more than the tolerance although no tensor is rounded, or is not finite.
    """
    probe = probe or probe_output
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    names = [] if dtype == torch.float32 else [key for key, tensor in state.items() if _can_be_rounded(key, tensor)]
    twin = copy.deepcopy(model).cpu().eval()
    before = probe(twin)
    if not bool(before.isfinite().all()):
        raise UserError(f'the output of {type(model).__name__} is not finite; pack a checkpoint that works')

    def change(rounded: Mapping[str, Tensor]) -> tuple[float, float]:
        """Root mean square and maximum."""
        twin.load_state_dict({**state, **{key: tensor.float() for key, tensor in rounded.items()}}, strict=False)
        difference = (probe(twin) - before).abs()
        return float(difference.square().mean().sqrt()), float(difference.max())

    bound = tolerance * (float(before.std()) or 1.0)
    halves = {key: state[key].to(dtype) for key in names}
    rms, largest = change(halves) if halves else (0.0, 0.0)
    kept: list[str] = []
    if rms > bound:
        alone = {key: change({key: half}) for key, half in halves.items()}
        by_effect = sorted(alone, key=alone.get, reverse=True)
        while by_effect and rms > bound:
            worst = max(1, len(by_effect) // 8)
            kept, by_effect = kept + by_effect[:worst], by_effect[worst:]
            rms, largest = change({key: halves[key] for key in by_effect})
        halves = {key: halves[key] for key in by_effect}
    return Rounding({**state, **halves}, len(halves), kept, largest, rms / bound * tolerance)


def _can_be_rounded(key: str, tensor: Tensor) -> bool:
    # a tensor whose largest value is beyond the range of float16 would become infinite
    return (tensor.dtype == torch.float32 and tensor.ndim > 1 and not key.startswith(NOT_ROUNDED)
            and float(tensor.abs().max()) < 1e4)


@torch.no_grad()
def probe_output(model: nn.Module) -> Tensor:
    """What a model makes of fixed random inputs: frames of an animator, samples of a diffusion model."""
    generators = generators_from_seeds(range(PROBE_SEED, PROBE_SEED + PROBES))
    if isinstance(model, Animator):
        coarse = torch.rand(2 * PROBES, 3, 8, 8, generator=Generator().manual_seed(PROBE_SEED)) * 2 - 1
        images = nn.functional.interpolate(coarse, (model.size, model.size), mode='bicubic').clamp(-1, 1)
        return model.transfer(images[:PROBES], images[PROBES:]).frames
    codes = torch.randn(PROBES, model.motion_dim, generator=Generator().manual_seed(PROBE_SEED))
    codes = model.normalizer.denormalize(codes)
    if isinstance(model, MotionDiffusion):
        return model.normalizer.normalize(model.sample(codes, generator=generators))
    if isinstance(model, StartCodeDiffusion):
        return model.normalizer.normalize(model.sample(PROBES, generator=generators))
    if isinstance(model, StartFrameDiffusion):
        low = torch.zeros(PROBES, 3, model.low_size, model.low_size) if model.low_size else None
        return model.sample(codes, generator=generators, low=low)
    raise UserError(f'{type(model).__name__} is none of the models that leokit packs: an animator, a motion diffusion, '
                    'a starting-code or a starting-frame model')
