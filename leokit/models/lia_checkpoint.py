"""Conversion of checkpoint files of the reference LIA implementation to leokit's and back.

A public file (``vox.pt``, ``taichi.pt``, ``ted.pt``) holds the generator's state dict under ``gen``; other entries are
not converted. :mod:`leokit.models.lia_state_dict` maps names and shapes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leokit.models.lia_state_dict import from_lia, to_lia
from leokit.nn.channels import BASE_CHANNELS, FIRST_SCALED_RESOLUTION
from leokit.utils import UserError
from leokit.utils.checkpoints import read_plain, save_checkpoint
from leokit.version import __version__

GENERATOR_KEY = 'gen'
UNUSED_KEY = 'lia_unused'  # reference tensors that affect no result, kept for the way back
GRID = 'lia'  # the identity grid that the reference adds its flows to; see leokit.nn.identity_grid


def convert_checkpoint(source: str | Path, target: str | Path) -> str:
    """Convert a reference checkpoint to leokit's format, or a leokit animator to the reference's.

    The content of the source decides the direction. Converting there and back is bit-exact.

    Args:
        source (str | Path): A reference checkpoint, or a leokit checkpoint of an animator.
        target (str | Path): The file to write.

    Returns:
        str: A one-line summary.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f'{target} would be overwritten by its own conversion; name another file to write')
    remedy = f"save the weights alone first: torch.save(dict({GENERATOR_KEY}=...), 'new.pt')"
    content = read_plain(source, remedy=remedy)
    if isinstance(content, Mapping) and isinstance(content.get(GENERATOR_KEY), Mapping):
        converted, format_name = _to_leokit(content[GENERATOR_KEY], source), "leokit's format"
    elif isinstance(content, Mapping) and isinstance(content.get('state_dict'), Mapping):
        converted, format_name = _to_reference(content, source), "LIA's format"
    else:
        raise UserError(f"{source} holds neither '{GENERATOR_KEY}', as LIA's checkpoints do, nor 'state_dict', as "
                        f"leokit's do; pass a file such as vox.pt or work_dirs/lia/iter_1000.pth")
    save_checkpoint(converted, target)
    meta = converted.get('meta') or content.get('meta', {})
    sizes = f' (size {meta["size"]}, motion_dim {meta["motion_dim"]})' if 'size' in meta else ''
    return f'wrote {target}, the animator of {source}{sizes} in {format_name}'


def _to_leokit(generator: Mapping[str, Any], source: Path) -> dict[str, Any]:
    state, unused = from_lia(generator)
    if 'motion_space.weight' not in state or 'flow_generator.constant' not in state:
        raise UserError(f"'{GENERATOR_KEY}' of {source} is not a complete LIA generator; pass a file such as vox.pt")
    model = dict(type='Animator', **_sizes(state))
    sizes = {key: model[key] for key in ('size', 'appearance_dim', 'motion_dim')}
    meta = dict(model='Animator', cfg=dict(default_scope='leokit', model=model), **sizes,
                conventions=dict(grid=GRID), source=source.name, leokit_version=__version__)
    return dict(meta=meta, state_dict=state, **{UNUSED_KEY: unused})


def _sizes(state: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the :class:`Animator` that has these weights."""
    levels = sum(key.startswith('flow_generator.levels.') and key.endswith('.to_flow.bias') for key in state)
    constant = state['flow_generator.constant']  # (1, C, 4, 4)
    size = constant.shape[-1] * 2**levels
    appearance_dim, motion_dim = state['motion_space.weight'].shape
    scaled = size >= FIRST_SCALED_RESOLUTION and size in BASE_CHANNELS
    multiplier = state['encoder.from_rgb.weight'].shape[0] / BASE_CHANNELS[size] if scaled else 1
    return dict(size=size, appearance_dim=appearance_dim, motion_dim=motion_dim, channel_multiplier=multiplier,
                max_channels=constant.shape[1])


def _to_reference(checkpoint: Mapping[str, Any], source: Path) -> dict[str, Any]:
    grid = checkpoint.get('meta', {}).get('conventions', {}).get('grid', GRID)
    if grid != GRID:
        raise UserError(f'{source} was trained with grid={grid!r}, which the reference implementation does not have; '
                        f'train with grid={GRID!r} to export')
    return {GENERATOR_KEY: to_lia(checkpoint['state_dict'], checkpoint.get(UNUSED_KEY))}
