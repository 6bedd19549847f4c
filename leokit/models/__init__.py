"""Models: the trainable MMEngine models, which only assemble components."""

from leokit.models.animator import Animation, Animator
from leokit.models.lia_conversion import from_lia, to_lia

__all__ = ['Animation', 'Animator', 'from_lia', 'to_lia']
