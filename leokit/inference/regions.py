"""Regions of the motion space: which part of a driving motion a source takes over.

A region is a set of named directions (:class:`~leokit.inference.manipulation.DirectionNames`). ``pose``, ``eyes`` and
``mouth`` contain the directions whose names begin with the words below, as ``leokit analyze probe`` and the published
configs of LIA-X write them; any other name is a single direction, by name or number.
"""

from typing import Mapping

import torch
from torch import Tensor

from leokit.inference.manipulation import DirectionNames
from leokit.utils import UserError
from leokit.utils.checkpoints import NAMES_FILE

REGIONS = dict(
    pose=('yaw', 'pitch', 'roll', 'turn', 'nod', 'tilt', 'neck', 'head', 'pose', 'tx', 'ty', 'scale'),
    eyes=('eye', 'blink', 'gaze', 'brow'),
    mouth=('mouth', 'lip', 'jaw', 'smile', 'pout', 'cheek', 'teeth'))


def region_map(names: DirectionNames, amounts: Mapping[str | int, float]) -> Tensor:
    """The matrix (N, N) that keeps the part of a motion in some regions and drops the rest.

    Motion is written as a combination of the directions of all regions, by least squares, and every direction is
    multiplied by the amount of its region. A direction that lies in two regions has the amount of the last one.

    Args:
        names (DirectionNames): The named directions of the animator.
        amounts (Mapping): Amount by region; 1 takes the motion over as it is, 0 leaves it out.
    """
    chosen: dict[str | int, float] = {}
    for region, amount in amounts.items():
        for name in _directions(names, region):
            chosen[name] = amount
    if not chosen:
        raise UserError('no region is named; pass one, such as pose, eyes or mouth')
    vectors = torch.stack([names.vector(name) for name in chosen], dim=1).double()  # (N, K)
    weights = torch.tensor(list(chosen.values()), dtype=torch.float64)
    return ((vectors * weights) @ torch.linalg.pinv(vectors)).float()


def _directions(names: DirectionNames, region: str | int) -> list[str | int]:
    """The directions of a region, or the one direction of that name or number."""
    if region not in REGIONS or region in names.names:
        return [region]
    found = [name for name in names.names if name.lower().startswith(REGIONS[region])]
    if not found:
        known = f'the named directions are {", ".join(names.names)}' if names.names else 'no direction has a name'
        raise UserError(f'the model has no direction of the region {region!r}: {known}; {NAMES_FILE} next to the '
                        f'checkpoint can name some ({", ".join(REGIONS[region][:3])}, ...)')
    return found
