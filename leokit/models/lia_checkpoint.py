"""Checkpoint files of the reference LIA implementation to leokit's and back.

A public file (``vox.pt``, ``taichi.pt``, ``ted.pt``) holds the generator's state dict
under ``gen``; whatever else it holds is left behind. Names and shapes are the affair of
:mod:`leokit.models.lia_conversion`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leokit.models.lia_conversion import from_lia, to_lia
from leokit.utils import UserError
from leokit.utils.checkpoints import read_plain, save_checkpoint
from leokit.version import __version__

GENERATOR_KEY = 'gen'
UNUSED_KEY = 'lia_unused'  # reference tensors without a use, kept for the way back
GRID = 'lia'  # what the reference adds its flows to; see leokit.nn.identity_grid


def convert_checkpoint(source: str | Path, target: str | Path) -> str:
    """Convert a reference checkpoint to leokit's format, or a leokit animator to the reference's.

    The direction follows from what the file holds. There and back again every tensor is bit for bit what it was.

    Args:
        source (str | Path): A reference checkpoint, or a leokit checkpoint of an animator.
        target (str | Path): The file to write.

    Returns:
        str: One sentence on what was written.

    Raises:
        UserError: If the source is missing, damaged or neither of the two, or the target cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f'{target} would be overwritten by what is made of it; name another file to write')
    remedy = f"save the weights alone first: torch.save(dict({GENERATOR_KEY}=...), 'new.pt')"
    content = read_plain(source, remedy=remedy)
    if isinstance(content, Mapping) and isinstance(content.get(GENERATOR_KEY), Mapping):
        made, what = _to_leokit(content[GENERATOR_KEY], source), "leokit's format"
    elif isinstance(content, Mapping) and isinstance(content.get('state_dict'), Mapping):
        made, what = _to_reference(content, source), "LIA's format"
    else:
        raise UserError(f"{source} holds neither '{GENERATOR_KEY}', as LIA's checkpoints do, nor 'state_dict', as "
                        f"leokit's do; pass a file such as vox.pt or work_dirs/lia/iter_1000.pth")
    save_checkpoint(made, target)
    facts = made.get('meta') or content.get('meta', {})
    sizes = f' (size {facts["size"]}, motion_dim {facts["motion_dim"]})' if 'size' in facts else ''
    return f"wrote {target}, the animator of {source}{sizes} in {what}"


def _to_leokit(generator: Mapping[str, Any], source: Path) -> dict[str, Any]:
    state, unused = from_lia(generator)
    if 'motion_space.weight' not in state or 'flow_generator.constant' not in state:
        raise UserError(f"'{GENERATOR_KEY}' of {source} is no whole LIA generator; pass a file such as vox.pt")
    levels = sum(key.startswith('flow_generator.levels.') and key.endswith('.to_flow.bias') for key in state)
    appearance_dim, motion_dim = state['motion_space.weight'].shape
    constant = state['flow_generator.constant']
    meta = dict(model='Animator', size=constant.shape[-1] * 2**levels, appearance_dim=appearance_dim,
                motion_dim=motion_dim, conventions=dict(grid=GRID), source=source.name, leokit_version=__version__)
    return dict(meta=meta, state_dict=state, **{UNUSED_KEY: unused})


def _to_reference(checkpoint: Mapping[str, Any], source: Path) -> dict[str, Any]:
    grid = checkpoint.get('meta', {}).get('conventions', {}).get('grid', GRID)
    if grid != GRID:
        raise UserError(f'{source} was trained with grid={grid!r}, which the reference implementation does not have; '
                        f'train with grid={GRID!r} to export')
    return {GENERATOR_KEY: to_lia(checkpoint['state_dict'], checkpoint.get(UNUSED_KEY))}
