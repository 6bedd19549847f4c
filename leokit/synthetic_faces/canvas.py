"""Anti-aliased drawing on a batch of images: signed distances in, soft coverage out, one layer over another.

A distance field is negative inside a shape. Its coverage falls linearly from 1 to 0 over one pixel around the
edge, which is the exact area for a straight edge along an axis. A band that is thinner than a pixel is the
difference of two such edges, so it fades instead of growing fat at small sizes.
"""

from torch import Tensor


def cover(distance: Tensor, softness: Tensor | float) -> Tensor:
    """How much of each pixel lies inside a shape.

    Args:
        distance (Tensor): Signed distance to the edge, negative inside, any shape.
        softness (Tensor | float): Width of the transition, normally one pixel, in the same unit.

    Returns:
        Tensor: Coverage in [0, 1].
    """
    return (0.5 - distance / softness).clamp_(0, 1)


def band(low: Tensor, high: Tensor, value: Tensor, softness: Tensor | float) -> Tensor:
    """How much of each pixel lies where ``low < value < high``; nothing where ``low >= high``.

    Args:
        low (Tensor): Lower edge, broadcastable to ``value``.
        high (Tensor): Upper edge, broadcastable to ``value``.
        value (Tensor): The coordinate across the band.
        softness (Tensor | float): Width of the transition of each edge.

    Returns:
        Tensor: Coverage in [0, 1].
    """
    return (cover(value - high, softness) - cover(value - low, softness)).clamp_(min=0)


def bump(square: Tensor) -> Tensor:
    """A soft spot of height 1: ``square`` is the squared distance in units of the spot's radius.

    It is a Gaussian bell but for the tails, which end at 2.8 radii (and cost no exponential).
    """
    return (1 - square / 8).clamp_(min=0).square().square()


def smooth_step(value: Tensor) -> Tensor:
    """A cubic ramp from 0 at 0 to 1 at 1, flat outside."""
    value = value.clamp(0, 1)
    return value * value * (3 - 2 * value)


class Canvas:
    """A batch of images that layers are painted onto, back to front.

    Args:
        pixels (Tensor): The background, shape (B, 3, H, W), in [0, 1]; painted on in place.
    """

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels

    def crop(self, rows: slice, columns: slice) -> 'Canvas':
        """A box of the pictures; painting on it paints on them."""
        return Canvas(self.pixels[:, :, rows, columns])

    def paint(self, color: Tensor, coverage: Tensor) -> None:
        """Lay a color over the picture.

        Args:
            color (Tensor): Shape (B or 1, 3, 1 or H, 1 or W), in [0, 1].
            coverage (Tensor): Opacity in [0, 1], shape (B, H, W).
        """
        self.pixels.lerp_(color.expand_as(self.pixels), coverage.unsqueeze(1).expand_as(self.pixels))

    def shade(self, factor: Tensor, coverage: Tensor) -> None:
        """Multiply the picture by a factor where it is covered: below 1 darkens, above 1 lightens.

        Args:
            factor (Tensor): Broadcastable to ``coverage``.
            coverage (Tensor): Shape (B, H, W), in [0, 1].
        """
        self.pixels.mul_((1 + (factor - 1) * coverage).unsqueeze(1))
