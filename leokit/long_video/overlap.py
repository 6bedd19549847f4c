"""Overlapping windows, blended while the second one is sampled."""

import torch
from torch import Tensor

from leokit.long_video.strategy import Continuation
from leokit.registry import LONG_VIDEO
from leokit.utils import UserError

RAMPS = ('cosine', 'linear')


@LONG_VIDEO.register_module()
class Overlap(Continuation):
    """Two windows share k codes, over which the second one takes over from the first.

    The second window starts with the first shared code exactly; towards the last one it is less and less bound to what
    the first window said. The shared codes are given out once the second window is drawn.

    Args:
        codes (int): k, less than the window's length.
        ramp (str): How the hold loosens: 'cosine', flat at both ends, so that speed and acceleration carry over as
            well; or 'linear'.
        pull (float): See the base class.
        bound (float): See the base class.

    Raises:
        UserError: If the ramp is unknown or a number is out of range.
    """

    def __init__(self, codes: int = 8, *, ramp: str = 'cosine', pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(codes, pull=pull, bound=bound)
        if ramp not in RAMPS:
            raise UserError(f'ramp of the continuation Overlap must be one of {", ".join(RAMPS)}, got {ramp!r}')
        self.ramp = ramp
        self.held_back = codes - 1

    def weights(self) -> Tensor:
        """From 1 at the first shared code to 0 just after the last; see the base class."""
        line = torch.linspace(1, 0, self.codes + 1)[:-1]
        return line if self.ramp == 'linear' else (1 - torch.cos(torch.pi * line)) / 2
