"""The reference I3D: weights made by a rule, its input video, and the values of a reference implementation."""

import functools
import math
from pathlib import Path

import numpy as np
import torch
from support.reference_rules import rule_noise, smooth_u8

from leokit.feature_extractors.i3d_network import I3DNetwork
from leokit.utils.pixels import from_uint8

TOLERANCE = 1e-4


def figures():
    """The reference arrays."""
    return {key: torch.from_numpy(value) if value.dtype.kind != 'U' else value.tolist()
            for key, value in np.load(Path(__file__).parent / 'data' / 'i3d.npz').items()}


@functools.cache
def reference_state():
    """The state dict, every tensor made by the rule; cached, so it must not be changed."""
    return {key: _rule_tensor(key, tuple(tensor.shape)) for key, tensor in I3DNetwork().state_dict().items()}


def video():
    """The input video: (1, 16, 3, 112, 112) in [-1, 1]."""
    pixels = smooth_u8(301, (1, 16, 112, 112, 3), {1: 4, 2: 4, 3: 4}, 2.0)
    return from_uint8(torch.from_numpy(pixels)).permute(0, 1, 4, 2, 3)


def _rule_tensor(key, shape):
    if key.endswith('num_batches_tracked'):
        return torch.tensor(0)
    noise = torch.from_numpy(rule_noise(key, shape))
    if key.endswith('running_var'):
        return 0.5 + noise.abs()
    if key.endswith(('running_mean', 'bn.bias')):
        return noise * 0.2
    if key.endswith('bn.weight'):
        return noise
    if key == 'logits.conv3d.bias':
        return noise * 0.1
    return noise * math.sqrt((1 if key.startswith('logits') else 2) / math.prod(shape[1:]))
