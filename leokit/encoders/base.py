"""The output of an encoder, and what the encoders of LIA and LIA-X have in common."""

from typing import NamedTuple

from torch import Tensor, nn

from leokit.utils import check_shape


class Encoding(NamedTuple):
    """An encoded image.

    Attributes:
        appearance (Tensor): Appearance vector w, shape (B, D).
        motion (Tensor): Motion code α, shape (B, N).
        features (tuple[Tensor, ...]): Feature maps of resolutions 8, 16, ..., size, which are warped.
    """

    appearance: Tensor
    motion: Tensor
    features: tuple[Tensor, ...]


class PyramidEncoder(nn.Module):
    """Base of encoders that halve the resolution block by block down to 4x4, which the appearance vector summarizes.

    Subclasses set ``size`` and the modules ``from_rgb``, ``activation``, ``blocks``, ``to_appearance`` (4x4 to one
    pixel) and ``motion_head``.
    """

    size: int
    from_rgb: nn.Module
    activation: nn.Module
    blocks: nn.ModuleList
    to_appearance: nn.Module
    motion_head: nn.Module

    def forward(self, images: Tensor) -> Encoding:
        """Encode images.

        Args:
            images (Tensor): Shape (B, 3, size, size) in [-1, 1].

        Returns:
            Encoding: Appearance (B, D), motion (B, N), features of resolutions 8 to size.
        """
        check_shape('images', images, (None, 3, self.size, self.size))
        x = self.activation(self.from_rgb(images))
        features = [x]
        for block in self.blocks:
            x = block(x)
            features.append(x)
        appearance = self.to_appearance(x).flatten(1)  # (B, D, 1, 1) -> (B, D)
        # features[-1] has resolution 4: the appearance vector summarizes it, and it is not warped
        return Encoding(appearance, self.motion_head(appearance), tuple(reversed(features[:-1])))
