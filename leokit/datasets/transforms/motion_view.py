"""A second, differently augmented view of the driving frame, seen by the motion encoder only."""

from typing import Sequence

import torch
from torch import Tensor, nn

from leokit.registry import TRANSFORMS

DRIVING_KEY, VIEW_KEY = 'driving', 'motion_view'


@TRANSFORMS.register_module()
class MotionView(nn.Module):
    """Adds ``motion_view``: the driving frames after further transforms.

    The animator encodes the motion of the view but reconstructs the driving frame. Changing the colors of the view
    therefore keeps color out of the motion code: it would be the wrong color.

    Args:
        transforms (Sequence[dict]): Configs in TRANSFORMS that do not change the motion.
    """

    def __init__(self, transforms: Sequence[dict]) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(TRANSFORMS.build(dict(transform)) for transform in transforms)

    @property
    def supports_cuda_graph(self) -> bool:
        """bool: All of the transforms do, see :class:`~leokit.datasets.transforms.base.BatchTransform`."""
        return all(getattr(transform, 'supports_cuda_graph', False) for transform in self.transforms)

    def forward(self, inputs: dict[str, Tensor], generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Add the view to a batch.

        Args:
            inputs (dict[str, Tensor]): With ``driving``, images (B, 3, H, W) in [-1, 1].
            generator (torch.Generator, optional): Source of randomness. Default: the device's default generator.

        Returns:
            dict[str, Tensor]: The inputs and ``motion_view``, same shape as ``driving``.
        """
        view = {DRIVING_KEY: inputs[DRIVING_KEY]}
        for transform in self.transforms:
            view = transform(view, generator)
        return {**inputs, VIEW_KEY: view[DRIVING_KEY]}
