"""State dicts of the public LIA-X implementation to leokit's and back.

Its networks have names for the resolutions of 512 x 512 images: ``block2`` and ``conv7`` are the finest, ``block_512``
and ``conv_512`` the coarsest. Blur kernels are constants.
"""

import re
from typing import Mapping

from torch import Tensor

from leokit.nn import fir_kernel
from leokit.utils import UserError

LIAX_SIZE = 512
# levels of the decoder, resolutions 8 to 512, and residual blocks of the encoder, 512 to 8
LEVELS = ('_512', '2', '3', '4', '5', '6', '7')
BLOCKS = ('block2.0', 'block3.0', 'block4.0', 'block5.0', 'block6.0', 'block7.0', 'block_512')
BLOCKS_PER_LEVEL = 4
MODULATED = ('conv.weight', 'conv.modulation.weight', 'conv.modulation.bias', 'activate.bias')
KERNEL = '.kernel'
BIAS_4D = re.compile(r'dec\.(rgb|flow)(_512|\d)\.bias')  # stored as (1, 3, 1, 1)


def liax_names() -> dict[str, str | None]:
    """leokit's name of every reference tensor, in the reference's order; None for a constant."""
    names: dict[str, str | None] = {
        'enc.enc_2r.block1.0.weight': 'encoder.from_rgb.weight', 'enc.enc_2r.block1.1.bias': 'encoder.activation.bias'}
    for index, block in enumerate(BLOCKS):
        names.update({f'enc.enc_2r.{block}.{theirs}': ours and f'encoder.blocks.{index}.{ours}' for theirs, ours in (
            ('conv1.0.weight', 'conv1.weight'), ('conv1.1.bias', 'activation1.bias'), ('conv2.0.kernel', None),
            ('conv2.1.weight', 'conv2.weight'), ('conv2.2.bias', 'activation2.bias'), ('skip.0.kernel', None),
            ('skip.1.weight', 'skip.weight'))})
    names.update({
        'enc.enc_2r.block8.weight': 'encoder.to_appearance.weight',
        'enc.enc_r2t.0.weight': 'encoder.motion_head.weight', 'enc.enc_r2t.0.bias': 'encoder.motion_head.bias',
        'dec.direction.weight': 'motion_space.weight', 'dec.input.input': 'flow_generator.constant'})
    names.update(_styled('dec.conv1', 'flow_generator.first'))
    for index, level in enumerate(LEVELS):
        names.update(_level(level, f'flow_generator.levels.{index}', is_first=index == 0))
    return names


def _styled(theirs: str, ours: str, *, up: bool = False) -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for part in MODULATED:
        names[f'{theirs}.{part}'] = f'{ours}.{part.replace("activate", "activation")}'
        if up and part == 'conv.weight':
            names[f'{theirs}.conv.blur.kernel'] = None
    return names


def _level(level: str, ours: str, *, is_first: bool) -> dict[str, str | None]:
    conv, names = f'dec.conv{level}', _styled(f'dec.conv{level}_1', f'{ours}.up', up=True)
    for index in range(BLOCKS_PER_LEVEL):
        theirs, block = f'{conv}_2.{index}', f'{ours}.blocks.{index}'
        names.update({f'{theirs}.{part}': f'{block}.{part}' for part in ('gamma', 'norm.weight', 'norm.bias')})
        names.update(_styled(f'{theirs}.conv1', f'{block}.conv1'))
        names.update(_styled(f'{theirs}.conv2', f'{block}.conv2'))
    if not is_first:
        names.update({f'{conv}_2_up.0.kernel': None, f'{conv}_2_up.1.weight': f'{ours}.refine_up.conv.weight',
                      f'{conv}_2_up.2.bias': f'{ours}.refine_up.activation.bias'})
    for index in range(BLOCKS_PER_LEVEL):
        for part in (1, 2):
            theirs, block = f'{conv}_2_rgb.{index}.conv{part}', f'{ours}.refine.{index}'
            names.update({f'{theirs}.0.weight': f'{block}.conv{part}.weight',
                          f'{theirs}.1.bias': f'{block}.activation{part}.bias'})
    rgb, flow = f'dec.rgb{level}', f'dec.flow{level}'
    names.update({f'{rgb}.bias': f'{ours}.to_rgb.bias', f'{rgb}.up.kernel': None,
                  f'{rgb}.conv.0.weight': f'{ours}.to_rgb.conv.weight',
                  f'{rgb}.conv.1.bias': f'{ours}.to_rgb.activation.bias',
                  f'{flow}.bias': f'{ours}.to_flow.bias', f'{flow}.up.kernel': None})
    names.update({f'{flow}.{part}': f'{ours}.to_flow.{part}' for part in MODULATED[:3]})
    return names


def from_liax(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert a reference state dict to an animator's.

    Args:
        state (Mapping[str, Tensor]): The reference generator's state dict; its constant kernels may be absent.
    """
    names = liax_names()
    unknown = [key for key in state if key not in names]
    missing = [key for key, name in names.items() if name is not None and key not in state]
    if unknown or missing:
        raise UserError(f'the weights are not a complete LIA-X generator: {len(missing)} tensors are missing and '
                        f'{len(unknown)} are unknown, such as {(missing + unknown)[0]!r}; pass a file such as lia-x.pt')
    return {name: _to_leokit_shape(key, state[key]) for key, name in names.items() if name is not None}


def to_liax(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert an animator's state dict back to the reference's, keys in the reference's order."""
    result = {}
    for key, name in liax_names().items():
        if name is None:
            # those that upsample have the gain 4, those of the encoder 1
            result[key] = fir_kernel(1.0 if key.startswith('enc.') else 4.0)
        elif name not in state:
            raise UserError(f'the checkpoint lacks {name!r}, which LIA-X stores as {key!r}; pass a 512 x 512 animator '
                            'of LIAXEncoder, LinearMotionSpace and LIAXFlowGenerator')
        else:
            result[key] = _to_liax_shape(key, state[name])
    return result


def _is_modulated(key: str) -> bool:
    return key.startswith('dec.') and key.endswith('.conv.weight')


def _to_leokit_shape(key: str, tensor: Tensor) -> Tensor:
    if BIAS_4D.fullmatch(key):
        return tensor.reshape(-1).clone()
    return (tensor[0] if _is_modulated(key) else tensor).clone()


def _to_liax_shape(key: str, tensor: Tensor) -> Tensor:
    if BIAS_4D.fullmatch(key):
        return tensor.view(1, -1, 1, 1).clone()
    return (tensor[None] if _is_modulated(key) else tensor).clone()
