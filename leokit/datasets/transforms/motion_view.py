"""A second look at the driving frame, for the motion code only."""

from typing import Sequence

import torch
from torch import Tensor, nn

from leokit.registry import TRANSFORMS

SEEN, VIEW = 'driving', 'motion_view'


@TRANSFORMS.register_module()
class MotionView(nn.Module):
    """Adds ``motion_view``: the driving frames after transforms of their own.

    The animator reads the motion code from the view but reconstructs the driving frame. A view that
    changes colors therefore keeps colors out of the code: what the code says of them would be wrong.

    Args:
        transforms (Sequence[dict]): Configs in TRANSFORMS; use those that leave the motion as it is.
    """

    def __init__(self, transforms: Sequence[dict]) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(TRANSFORMS.build(dict(transform)) for transform in transforms)

    def forward(self, inputs: dict[str, Tensor], generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Add the view to a batch.

        Args:
            inputs (dict[str, Tensor]): With ``driving``, images (B, 3, H, W) in [-1, 1].
            generator (torch.Generator, optional): Source of randomness; torch's own for the device by default.

        Returns:
            dict[str, Tensor]: The inputs and ``motion_view``, shaped like ``driving``.
        """
        view = {SEEN: inputs[SEEN]}
        for transform in self.transforms:
            view = transform(view, generator)
        return {**inputs, VIEW: view[SEEN]}
