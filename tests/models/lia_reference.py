"""The reference LIA state dict with weights from a rule, and its inputs."""

import torch
from support.reference_rules import rule_noise, smooth_u8

from leokit.models import Animator, to_lia
from leokit.nn import fir_kernel

SEEDS = dict(source=101, driving=102, start=103)


def rule_scale(key: str) -> float:
    """Standard deviation of the tensor ``key``."""
    color = '.to_rgbs.' in key or '.to_rgb1.' in key
    if key in ('dec.direction.weight', 'dec.input.input') or key.endswith('.modulation.bias'):
        return 1.0
    if key.startswith('enc.fc.'):
        return 0.1 if key.endswith('.bias') else 1.4
    if '.to_flows.' in key and key.endswith('.conv.weight'):
        return 0.4
    if color and not key.endswith('bias'):
        return 1.0
    return 0.1 if key.endswith(('bias', '.noise.weight')) else 1.0


def reference_state(animator: Animator) -> dict[str, torch.Tensor]:
    """A reference state dict for an animator's sizes, with every tensor from the rule."""
    state = to_lia(animator.state_dict())
    for key, tensor in state.items():
        if key.endswith('.kernel'):
            state[key] = fir_kernel(4.0 if '.upsample.' in key or '.blur.' in key else 1.0)
        else:
            state[key] = torch.from_numpy(rule_noise(key, tensor.shape) * rule_scale(key))
    return state


def image(name: str) -> torch.Tensor:
    """The input image ``source``, ``driving`` or ``start``: (2, 3, 64, 64) in [-1, 1]."""
    pixels = smooth_u8(SEEDS[name], (2, 3, 64, 64), {2: 9, 3: 9})
    return torch.from_numpy(pixels).float() / 127.5 - 1
