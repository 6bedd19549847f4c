"""Conversion of weights of LIA, FLOAT and LIA-X to leokit's format and back.

:mod:`leokit.models.reference_weights` finds the generator in a file, :mod:`leokit.models.lia_state_dict` and
:mod:`leokit.models.liax_state_dict` map names and shapes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leokit.models.lia_state_dict import from_lia, leokit_name, reference_keys, to_lia
from leokit.models.liax_directions import DIRECTIONS, PUBLIC_DIMS
from leokit.models.liax_state_dict import LIAX_SIZE, from_liax, to_liax
from leokit.models.reference_weights import FORMATS, GeneratorWeights, find_generator, read_weights, summary
from leokit.nn.channels import BASE_CHANNELS, FIRST_SCALED_RESOLUTION
from leokit.utils import UserError
from leokit.utils.checkpoints import NAMES_FILE, save_checkpoint
from leokit.utils.config import load_config
from leokit.utils.errors import format_list
from leokit.utils.files import write_json
from leokit.version import __version__

GENERATOR_KEY = 'gen'
UNUSED_KEY = 'lia_unused'  # reference tensors that affect no result, kept for the way back
# the identity grids that the references add their flows to; see leokit.nn.identity_grid
GRID, LIAX_GRID = 'lia', 'corners'
# how a trained animator is used: keys of its config
USAGE_KEYS = ('crop', 'face_crop', 'transfer_mode')
LIAX_CONFIG, FLOAT_CONFIG = 'lia_x_512', 'lia_float_512'
LIAX_PARTS = dict(encoder=dict(type='LIAXEncoder'), flow_generator=dict(type='LIAXFlowGenerator'))


def convert_checkpoint(source: str | Path, target: str | Path, *, config: str | Path | None = None) -> str:
    """Convert weights of LIA, FLOAT or LIA-X to leokit's format, or a leokit animator to LIA's or LIA-X's.

    The content of the source decides the direction. Converting there and back is bit-exact. Of LIA-X's public weights,
    the names of directions are written next to the target, unless that file exists.

    Args:
        source (str | Path): A reference checkpoint, or a leokit checkpoint of an animator.
        target (str | Path): The file to write.
        config (str | Path, optional): Config whose crops and transfer mode the converted checkpoint carries; of FLOAT
            and LIA-X, the shipped one by default.

    Returns:
        str: A summary of what was found and written.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f'{target} would be overwritten by its own conversion; name another file to write')
    content = read_weights(source)
    weights = find_generator(content)
    if weights is not None:
        converted, format_name = _to_leokit(weights, source, config), "leokit's format"
        found = f'; {summary(weights)}'
    elif isinstance(content, Mapping) and isinstance(content.get('state_dict'), Mapping):
        converted, format_name = _to_reference(content, source)
        found = ''
    else:
        raise UserError(f"{source} holds neither a generator of {FORMATS} nor 'state_dict', as leokit's checkpoints "
                        'do; pass a file such as vox.pt or work_dirs/lia/iter_1000.pth')
    save_checkpoint(converted, target)
    if weights is not None and weights.network == 'LIA-X':
        found += _name_directions(converted['meta'], target)
    meta = converted.get('meta') or content.get('meta', {})
    sizes = f' (size {meta["size"]}, motion_dim {meta["motion_dim"]})' if 'size' in meta else ''
    return f'wrote {target}, the animator of {source}{sizes} in {format_name}{found}'


def _to_leokit(weights: GeneratorWeights, source: Path, config: str | Path | None) -> dict[str, Any]:
    if weights.network == 'LIA-X':
        state, unused = from_liax(weights.state), {}
        model, grid = dict(type='Animator', **_liax_sizes(state), **LIAX_PARTS), LIAX_GRID
    else:
        state, unused = from_lia(weights.state)
        _check_complete(weights, state, source)
        model, grid = dict(type='Animator', **_sizes(state)), GRID
    sizes = {key: model[key] for key in ('size', 'appearance_dim', 'motion_dim')}
    if config is None and (weights.network == 'LIA-X' or weights.is_float):
        config = FLOAT_CONFIG if weights.is_float else LIAX_CONFIG
    usage = _usage(config, sizes, weights)
    meta = dict(model='Animator', cfg=dict(default_scope='leokit', model=model, **usage), **sizes,
                conventions=dict(grid=grid), source=source.name, leokit_version=__version__)
    return dict(meta=meta, state_dict=state, **{UNUSED_KEY: unused})


def _name_directions(meta: Mapping[str, Any], target: Path) -> str:
    names = target.with_suffix('.' + NAMES_FILE)
    if (meta['appearance_dim'], meta['motion_dim']) != PUBLIC_DIMS or names.exists():
        return ''
    write_json(names, DIRECTIONS)
    return f'; {names} names the directions of the public weights, delete it if these are others'


def _usage(config: str | Path | None, sizes: Mapping[str, int], weights: GeneratorWeights) -> dict[str, Any]:
    """How inputs of the model are cropped and motion is transferred, as a config says it."""
    if config is None:
        return {}
    known = load_config(config)
    if config not in (LIAX_CONFIG, FLOAT_CONFIG) and known.get('size') != sizes['size']:
        raise UserError(f'the weights are of size {sizes["size"]}, and the config {config} has '
                        f'size={known.get("size")}; pass the config of {weights.network} that belongs to them')
    return {key: known[key] for key in USAGE_KEYS if key in known}


def _check_complete(weights: GeneratorWeights, state: Mapping[str, Any], source: Path) -> None:
    levels = _levels(state)
    names = [leokit_name(key) for key in reference_keys(levels)] if levels else []
    missing = [name for name in names if name is not None and name not in state]
    if missing or not names:
        place = f' under {weights.place!r}' if weights.place else ''
        lacking = f': it lacks {format_list(missing)}' if missing else ''
        raise UserError(f'{source} is not a complete LIA generator{place}{lacking}; pass a file such as vox.pt')


def _levels(state: Mapping[str, Any]) -> int:
    return sum(key.startswith('flow_generator.levels.') and key.endswith('.to_flow.bias') for key in state)


def _sizes(state: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the :class:`Animator` that has these weights."""
    constant = state['flow_generator.constant']  # (1, C, 4, 4)
    size = constant.shape[-1] * 2**_levels(state)
    appearance_dim, motion_dim = state['motion_space.weight'].shape
    scaled = size >= FIRST_SCALED_RESOLUTION and size in BASE_CHANNELS
    multiplier = state['encoder.from_rgb.weight'].shape[0] / BASE_CHANNELS[size] if scaled else 1
    return dict(size=size, appearance_dim=appearance_dim, motion_dim=motion_dim, channel_multiplier=multiplier,
                max_channels=constant.shape[1])


def _liax_sizes(state: Mapping[str, Any]) -> dict[str, Any]:
    appearance_dim, motion_dim = state['motion_space.weight'].shape
    multiplier = state['encoder.from_rgb.weight'].shape[0] / BASE_CHANNELS[LIAX_SIZE]
    return dict(size=LIAX_SIZE, appearance_dim=appearance_dim, motion_dim=motion_dim, channel_multiplier=multiplier,
                max_channels=state['flow_generator.constant'].shape[1])


def _to_reference(checkpoint: Mapping[str, Any], source: Path) -> tuple[dict[str, Any], str]:
    """The reference's state dict, and the name of its format."""
    state = checkpoint['state_dict']
    grid = checkpoint.get('meta', {}).get('conventions', {}).get('grid')
    is_liax = any('.refine.' in key for key in state)
    if grid is not None and grid != (LIAX_GRID if is_liax else GRID):
        raise UserError(f'{source} was trained with grid={grid!r}, which the reference implementation does not have; '
                        f'train with grid={LIAX_GRID if is_liax else GRID!r} to export')
    if is_liax:  # as in its public file, without a wrapper
        return to_liax(state), "LIA-X's format"
    try:
        return {GENERATOR_KEY: to_lia(state, checkpoint.get(UNUSED_KEY))}, "LIA's format"
    except UserError as error:
        raise UserError(f'{source} cannot be converted: {error}') from error
