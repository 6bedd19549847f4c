"""The perceptual loss of crops of mouth and eyes; not part of LIA.

Deep features of a whole frame hardly depend on its mouth: it covers one or two positions of the coarse feature maps.
"""

from typing import Sequence

from torch import Tensor

from leokit.losses.perceptual_loss import PerceptualLoss
from leokit.nn.face_crops import FaceCrops
from leokit.registry import LOSSES


@LOSSES.register_module()
class FaceCropPerceptualLoss(PerceptualLoss):
    """The perceptual loss of square crops around the regions of the driving face, averaged over the crops.

    A region that was not found contributes 0 and counts in the average.

    Args:
        backbone (dict, optional): See :class:`PerceptualLoss`.
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        parts (Sequence[str]): See :class:`~leokit.nn.face_crops.FaceCrops`.
        crop_size (int): Side of the crops in pixels.
        num_scales (int): See :class:`PerceptualLoss`, as the others.
        min_resolution (int): Scales of the crops with a shorter side below this are omitted.
        layer_weights (Sequence[float], optional): Factors of the feature maps.
    """

    reads = ('driving', 'frames', 'regions')

    def __init__(self, backbone: dict | None = None, weight: float = 1.0, *, name: str = 'face_crops',
                 parts: Sequence[str] = ('mouth', 'eyes'), crop_size: int = 64, num_scales: int = 2,
                 min_resolution: int = 32, layer_weights: Sequence[float] | None = None):
        super().__init__(backbone, weight, name=name, num_scales=num_scales, min_resolution=min_resolution,
                         layer_weights=layer_weights)
        if crop_size < min_resolution:
            raise ValueError(f'crop_size must be at least min_resolution ({min_resolution}), got {crop_size}')
        self.crops = FaceCrops(parts, crop_size)

    def forward(self, driving: Tensor, prediction: Tensor, regions: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            driving (Tensor): Shape (B, 3, H, W) in [-1, 1]; it gets no gradient.
            prediction (Tensor): Same shape.
            regions (Tensor): Maps of the driving frame's regions (:mod:`leokit.nn.face_regions`), shape (B, R, 2, 3).

        Returns:
            Tensor: A float32 scalar.
        """
        return super().forward(self.crops(prediction, regions), self.crops(driving, regions))
