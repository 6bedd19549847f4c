"""LEO's rule for videos of any length (arXiv 2305.03989, section 3.2)."""

import torch
from torch import Tensor

from leokit.long_video.strategy import Continuation
from leokit.registry import LONG_VIDEO


@LONG_VIDEO.register_module()
class LastCode(Continuation):
    """The last code of one window is the first of the next; of the motion that led there it knows nothing.

    Args:
        pull (float): See the base class.
        bound (float): See the base class.
    """

    def __init__(self, *, pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(1, pull=pull, bound=bound)

    def weights(self) -> Tensor:
        """One code, which the motion condition holds; see the base class."""
        return torch.ones(1)
