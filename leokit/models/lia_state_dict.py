"""State dicts of the reference LIA implementation to leokit's and back.

Some entries of the reference never affect a result (noise weights, the color head of resolution 4) and some are
constants (blur kernels). The first are kept next to the converted weights, so that the way back is exact.
"""

import re
from typing import Mapping

import torch
from torch import Tensor

from leokit.nn import fir_kernel
from leokit.utils import UserError

# reference pattern -> leokit name; {index} is the first number of the pattern, {half} its integer half
_ENCODER = (
    (r'enc\.net_app\.convs\.0\.0\.weight', 'encoder.from_rgb.weight'),
    (r'enc\.net_app\.convs\.0\.1\.bias', 'encoder.activation.bias'),
    (r'enc\.net_app\.convs\.(\d+)\.conv1\.0\.weight', 'encoder.blocks.{block}.conv1.weight'),
    (r'enc\.net_app\.convs\.(\d+)\.conv1\.1\.bias', 'encoder.blocks.{block}.activation1.bias'),
    (r'enc\.net_app\.convs\.(\d+)\.conv2\.1\.weight', 'encoder.blocks.{block}.conv2.weight'),
    (r'enc\.net_app\.convs\.(\d+)\.conv2\.2\.bias', 'encoder.blocks.{block}.activation2.bias'),
    (r'enc\.net_app\.convs\.(\d+)\.skip\.1\.weight', 'encoder.blocks.{block}.skip.weight'),
    (r'enc\.net_app\.convs\.(\d+)\.weight', 'encoder.to_appearance.weight'),
    (r'enc\.fc\.(\d+)\.(weight|bias)', 'encoder.motion_head.{index}.{last}'),
)
_DECODER = (
    (r'dec\.direction\.weight', 'motion_space.weight'),
    (r'dec\.input\.input', 'flow_generator.constant'),
    (r'dec\.conv1\.conv\.(weight|modulation\.weight|modulation\.bias)', 'flow_generator.first.conv.{last}'),
    (r'dec\.conv1\.activate\.bias', 'flow_generator.first.activation.bias'),
    (r'dec\.convs\.(\d+)\.conv\.(weight|modulation\.weight|modulation\.bias)',
     'flow_generator.levels.{half}.{role}.conv.{last}'),
    (r'dec\.convs\.(\d+)\.activate\.bias', 'flow_generator.levels.{half}.{role}.activation.bias'),
    (r'dec\.to_flows\.(\d+)\.conv\.(weight|modulation\.weight|modulation\.bias)',
     'flow_generator.levels.{index}.to_flow.conv.{last}'),
    (r'dec\.to_flows\.(\d+)\.bias', 'flow_generator.levels.{index}.to_flow.bias'),
    (r'dec\.to_rgbs\.(\d+)\.conv\.0\.weight', 'flow_generator.levels.{index}.to_rgb.conv.weight'),
    (r'dec\.to_rgbs\.(\d+)\.conv\.1\.bias', 'flow_generator.levels.{index}.to_rgb.activation.bias'),
    (r'dec\.to_rgbs\.(\d+)\.bias', 'flow_generator.levels.{index}.to_rgb.bias'),
)
_RULES = tuple((re.compile(pattern), name) for pattern, name in _ENCODER + _DECODER)
_KERNEL = re.compile(r'\.kernel$')
_UNUSED = re.compile(r'^dec\.to_rgb1\.|\.noise\.weight$')


def leokit_name(reference_name: str) -> str | None:
    """leokit's name of a reference tensor; None for a constant or an unused one."""
    if _KERNEL.search(reference_name) or _UNUSED.search(reference_name):
        return None
    for pattern, name in _RULES:
        match = pattern.fullmatch(reference_name)
        if match:
            groups = match.groups()
            index = int(groups[0]) if groups and groups[0].isdigit() else 0
            role = 'conv' if index % 2 else 'up'
            last = groups[-1] if groups else ''
            return name.format(index=index, block=index - 1, half=index // 2, role=role, last=last)
    raise UserError(f'the tensor {reference_name!r} does not belong to a LIA generator, so the weights are those of '
                    'another network, such as EDTalk or DPE; pass a checkpoint such as vox.pt')


def from_lia(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Convert a reference state dict.

    Args:
        state (Mapping[str, Tensor]): The reference generator's state dict.

    Returns:
        tuple: The animator's state dict, and the reference's unused tensors under their own names.
    """
    converted, unused = {}, {}
    for key, tensor in state.items():
        name = leokit_name(key)
        if name is not None:
            converted[name] = _to_leokit_shape(key, tensor)
        elif _UNUSED.search(key):
            unused[key] = tensor.clone()
    return converted, unused


def to_lia(state: Mapping[str, Tensor], unused: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Convert an animator's state dict back to the reference's, keys in the reference's order.

    Args:
        state (Mapping[str, Tensor]): An animator's weights (other keys, such as a discriminator's, are left out).
        unused (Mapping[str, Tensor], optional): The unused tensors that :func:`from_lia` returned; zeros by default.

    Returns:
        dict[str, Tensor]: A state dict that the reference implementation loads.
    """
    levels = sum(bool(re.fullmatch(r'flow_generator\.levels\.\d+\.to_flow\.bias', key)) for key in state)
    if not levels:
        raise UserError('the checkpoint holds no LIA flow generator; pass one trained with LIAFlowGenerator')
    if any('.inpaint_rgb.' in key for key in state):
        raise UserError('the animator was trained with inpaint=True, which the reference implementation does not have; '
                        'train with inpaint=False to export')
    result = {}
    for key in reference_keys(levels):
        name = leokit_name(key)
        if name is not None:
            if name not in state:
                raise UserError(f'the checkpoint lacks {name!r}, which LIA stores as {key!r}; pass an animator '
                                'of LIAEncoder, LinearMotionSpace and LIAFlowGenerator')
            result[key] = _to_lia_shape(key, state[name])
        elif _KERNEL.search(key):
            result[key] = fir_kernel(4.0 if '.upsample.' in key or '.blur.' in key else 1.0)
        elif unused and key in unused:
            result[key] = unused[key].clone()
        else:
            channels = state['flow_generator.constant'].shape[1]
            shapes = {'dec.to_rgb1.bias': (1, 3, 1, 1), 'dec.to_rgb1.conv.0.weight': (3, channels, 1, 1),
                      'dec.to_rgb1.conv.1.bias': (1, 3, 1, 1)}
            result[key] = torch.zeros(shapes.get(key, (1,)))
    return result


def reference_keys(levels: int) -> list[str]:
    """Keys of the reference state dict, in its order, for ``levels`` resolutions from 8 up."""
    modulated = ('conv.weight', 'conv.modulation.weight', 'conv.modulation.bias', 'noise.weight', 'activate.bias')
    keys = ['enc.net_app.convs.0.0.weight', 'enc.net_app.convs.0.1.bias']
    for block in range(1, levels + 1):
        keys += [f'enc.net_app.convs.{block}.{part}' for part in (
            'conv1.0.weight', 'conv1.1.bias', 'conv2.0.kernel', 'conv2.1.weight', 'conv2.2.bias', 'skip.0.kernel',
            'skip.1.weight')]
    keys.append(f'enc.net_app.convs.{levels + 1}.weight')
    keys += [f'enc.fc.{i}.{part}' for i in range(5) for part in ('weight', 'bias')]
    keys += ['dec.direction.weight', 'dec.input.input']
    keys += [f'dec.conv1.{part}' for part in modulated]
    keys += ['dec.to_rgb1.bias', 'dec.to_rgb1.conv.0.weight', 'dec.to_rgb1.conv.1.bias']
    for i in range(2 * levels):
        parts = modulated if i % 2 else modulated[:1] + ('conv.blur.kernel',) + modulated[1:]
        keys += [f'dec.convs.{i}.{part}' for part in parts]
    keys += [f'dec.to_rgbs.{i}.{part}' for i in range(levels) for part in (
        'bias', 'upsample.kernel', 'conv.0.weight', 'conv.1.bias')]
    keys += [f'dec.to_flows.{i}.{part}' for i in range(levels) for part in (
        'bias', 'upsample.kernel', 'conv.weight', 'conv.modulation.weight', 'conv.modulation.bias')]
    return keys


def _is_channel_bias(key: str) -> bool:
    """Whether the reference stores this bias as (1, C, 1, 1)."""
    return key.endswith('.bias') and not key.startswith('enc.fc.') and '.modulation.' not in key


def _to_leokit_shape(key: str, tensor: Tensor) -> Tensor:
    if _is_channel_bias(key):
        return tensor.reshape(-1).clone()
    if tensor.ndim == 5:  # the reference's modulated weights carry a leading 1
        return tensor[0].clone()
    return tensor.clone()


def _to_lia_shape(key: str, tensor: Tensor) -> Tensor:
    if _is_channel_bias(key):
        return tensor.view(1, -1, 1, 1).clone()
    if key.endswith('.conv.weight') and key.startswith('dec.'):
        return tensor[None].clone()
    return tensor.clone()
