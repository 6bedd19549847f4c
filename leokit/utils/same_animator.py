"""The check that models, motion codes and datasets belong to one animator.

Motion codes have a meaning only for the animator that produced them, so everything that is trained on codes, or holds
some, remembers the SHA-256 of the animator's weights (``Animator.weights_hash()``).
"""

from itertools import combinations
from typing import NamedTuple

from torch import nn

from leokit.utils.errors import UserError

HASH_DIGITS = 12  # shown in messages
REMEDY = 'pass checkpoints that belong to one animator'


class CodeOrigin(NamedTuple):
    """Whose motion codes something produces, was trained on, or holds; None is unknown and fits everything."""

    name: str  # for error messages, with the file where there is one
    animator_hash: str | None
    motion_dim: int | None = None


def check_same_animator(*origins: CodeOrigin, remedy: str = REMEDY) -> None:
    """Raise a :class:`UserError` if two of the origins differ in their animator or motion dimension."""
    for first, second in combinations(origins, 2):
        if _differ(first.motion_dim, second.motion_dim):
            raise UserError(f'{first.name} and {second.name} have different motion dimensions ({first.motion_dim} and '
                            f'{second.motion_dim}); {remedy}')
        if _differ(first.animator_hash, second.animator_hash):
            raise UserError(f'{first.name} and {second.name} belong to different animators '
                            f'({first.animator_hash[:HASH_DIGITS]} and {second.animator_hash[:HASH_DIGITS]}); {remedy}')


def named_model(label: str, model: nn.Module) -> str:
    """Name of a model in messages, with its file if it was loaded: ``the animator work_dirs/lia/iter_10.pth``."""
    checkpoint = getattr(model, 'checkpoint', None)
    return f'{label} {checkpoint}' if checkpoint else label


def _differ(first: str | int | None, second: str | int | None) -> bool:
    return None not in (first, second) and first != second
