"""A loss on the flow at points of the face: where a driving lip or eye is, the flow must point to that of the source.

The gradient of a reconstruction loss reaches a flow through the colors around the position that it samples, a pixel or
two far, and a lip is a few pixels high. Points of the face that are known in both frames say directly where to sample.
Landmarks guide motion in the same spirit in LivePortrait (Guo et al., arXiv 2407.03168, section 3.2). Not part of LIA.
"""

from typing import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.nn.face_shape import FACE_POINTS, face_points, part_factors
from leokit.nn.grid import grid_ends
from leokit.registry import LOSSES

BETA = 0.1  # eye distances, below which the error counts quadratically: two to three pixels at 128 x 128


@LOSSES.register_module()
class FaceFlowLoss(nn.Module):
    """Smooth L1 distance of the sampling positions at points of the driving face from the points of the source face.

    Distances are in eye distances of the source face; the error of a part is the mean over its points. Points that are
    not known in both frames, or lie outside of an image, contribute 0 and count in the average. Averaged over the flows
    of all resolutions from ``min_resolution`` on.

    Args:
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        weights (Mapping[str, float], optional): Factors of the parts of ``FACE_POINTS``: ``mouth``, ``eyes`` (their
            corners) and ``lids``; 1 for mouth and eyes by default. The boxes of eyes in SyntheticFaces do not follow
            the lids, so leave those out with these data.
        grid (str): Of the warp operator, see :func:`~leokit.nn.grid.identity_grid`.
        min_resolution (int): Coarser flows are left out; a mouth is smaller than their pixels.
    """

    reads = ('source_regions', 'regions', 'flows')

    def __init__(self, weight: float = 1.0, *, name: str = 'face_flow', weights: Mapping[str, float] | None = None,
                 grid: str = 'lia', min_resolution: int = 16) -> None:
        super().__init__()
        factors = part_factors(dict(mouth=1.0, eyes=1.0) if weights is None else weights, FACE_POINTS)
        grid_ends(1, 1, grid)  # checks the name
        self.weight = weight
        self.name = name
        self.grid = grid
        self.min_resolution = min_resolution
        self.register_buffer('factors', factors, persistent=False)

    def forward(self, source_regions: Tensor, regions: Tensor, *flows: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            source_regions (Tensor): Maps of the source frame's regions (:mod:`leokit.nn.face_regions`), shape
                (B, R, 2, 3).
            regions (Tensor): Those of the driving frame, same shape.
            *flows (Tensor): Normalized sampling offsets, x first, shape (B, 2, s, s).

        Returns:
            Tensor: A float32 scalar.
        """
        flows = [flow for flow in flows if flow.shape[-1] >= self.min_resolution]
        if not flows:
            raise ValueError(f'no flow has the min_resolution of {self.min_resolution}')
        targets, unit = face_points(source_regions)  # (B, P, 2), (B,)
        places, _ = face_points(regions)
        known = (targets.abs() <= 1).all(-1) & (places.abs() <= 1).all(-1)  # NaN is not <= 1
        places, targets = (torch.where(known[..., None], points, 0.0) for points in (places, targets))
        unit = torch.where(unit > 0, unit, 1.0)  # 0 where both eyes are one point
        total = torch.zeros((), device=targets.device)
        for flow in flows:
            error = (self._sampled(flow.float(), places) - targets) / unit[:, None, None]
            error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=BETA, reduction='none').sum(-1)
            total = total + (error * known * self.factors).sum(1).mean()
        return total / len(flows)

    def _sampled(self, flow: Tensor, places: Tensor) -> Tensor:
        """Where the warp samples the source for positions (B, P, 2) of its output, in the coordinates of the latter."""
        offsets = F.grid_sample(flow, places[:, None], padding_mode='border', align_corners=False)  # (B, 2, 1, P)
        size = flow.shape[-1]
        end, exact = grid_ends(size, size, self.grid)[0], grid_ends(size, size, 'exact')[0]
        positions = places * (end / exact) + offsets[:, :, 0].transpose(1, 2)
        return positions * exact if self.grid == 'corners' else positions  # its ends are centers of pixels
