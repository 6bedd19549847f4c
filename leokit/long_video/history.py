"""Going on from the last k codes, so that velocity carries over."""

import torch
from torch import Tensor

from leokit.long_video.strategy import Continuation
from leokit.registry import LONG_VIDEO


@LONG_VIDEO.register_module()
class History(Continuation):
    """The last k codes of one window are the first k of the next: known frames are replaced while the rest is sampled.

    The replacement method of video diffusion (arXiv 2204.03458, section 3.1), here with the predicted clean sample in
    place of the noisy one.

    Args:
        codes (int): k, less than the window's length.
        pull (float): See the base class.
        bound (float): See the base class.
    """

    def __init__(self, codes: int = 4, *, pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(codes, pull=pull, bound=bound)

    def weights(self) -> Tensor:
        """All of them hold; see the base class."""
        return torch.ones(self.codes)
