"""Square crops of the parts of a face, for losses and discriminators."""

from typing import Sequence

import torch
from torch import Tensor, nn

from leokit.nn.face_regions import check_parts, region_crops, region_rows


class FaceCrops(nn.Module):
    """Crops around mouth and eyes of every image; no weights.

    Args:
        parts (Sequence[str]): Of ``mouth``, ``eyes`` (two crops) and ``face``.
        size (int): Side S of the crops in pixels; bilinear resampling, so regions of more than twice this size lose
            detail.
    """

    def __init__(self, parts: Sequence[str] = ('mouth', 'eyes'), size: int = 64) -> None:
        super().__init__()
        check_parts(parts, 'parts')
        self.size = size
        rows = torch.tensor([row for part in parts for row in region_rows(part)])
        self.register_buffer('rows', rows, persistent=False)  # on the device: a copy of a list would end a CUDA graph

    def forward(self, images: Tensor, regions: Tensor) -> Tensor:
        """Crop.

        Args:
            images (Tensor): Shape (B, 3, H, W).
            regions (Tensor): Maps of their regions (:mod:`leokit.nn.face_regions`), shape (B, R, 2, 3).

        Returns:
            Tensor: float32, shape (B * crops, 3, S, S), those of an image adjacent; zero, with no gradient, where a
            region was not found.
        """
        return region_crops(images, regions.index_select(1, self.rows), self.size)
