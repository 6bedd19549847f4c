"""Anti-aliased painting on a batch of images: layers whose coverage is computed from signed distances.

A signed distance is negative inside a shape. Coverage falls linearly from 1 to 0 over one pixel around the edge, which
is the exact area for a straight edge parallel to an axis. A band thinner than a pixel is the difference of two such
edges, so it fades instead of becoming too wide at low resolutions.
"""

from torch import Tensor


def cover(distance: Tensor, softness: Tensor | float) -> Tensor:
    """Fraction of each pixel inside a shape, in [0, 1].

    Args:
        distance (Tensor): Signed distance to the edge, negative inside, any shape.
        softness (Tensor | float): Width of the transition, normally one pixel, in the same unit.
    """
    return (0.5 - distance / softness).clamp_(0, 1)


def band(low: Tensor, high: Tensor, value: Tensor, softness: Tensor | float) -> Tensor:
    """Fraction of each pixel with ``low < value < high``, in [0, 1]; 0 where ``low >= high``.

    Args:
        low (Tensor): Lower edge, broadcastable to ``value``.
        high (Tensor): Upper edge, broadcastable to ``value``.
        value (Tensor): Coordinate across the band.
        softness (Tensor | float): Width of the transition at each edge.
    """
    return (cover(value - high, softness) - cover(value - low, softness)).clamp_(min=0)


def bump(square: Tensor) -> Tensor:
    """Soft spot of height 1 at the squared distance ``square`` from its center, in units of its squared radius.

    Close to a Gaussian, but zero beyond 2.8 radii, and cheaper than an exponential.
    """
    return (1 - square / 8).clamp_(min=0).square().square()


def smooth_step(value: Tensor) -> Tensor:
    """Cubic ramp from 0 at ``value`` 0 to 1 at 1, constant outside."""
    value = value.clamp(0, 1)
    return value * value * (3 - 2 * value)


class Canvas:
    """A batch of images; layers are painted onto it from back to front.

    Args:
        pixels (Tensor): Background, shape (B, 3, H, W), in [0, 1]; modified in place.
    """

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels

    def crop(self, rows: slice, columns: slice) -> 'Canvas':
        """A view of a box of the images: painting on it modifies them."""
        return Canvas(self.pixels[:, :, rows, columns])

    def paint(self, color: Tensor, coverage: Tensor) -> None:
        """Blend a color over the images.

        Args:
            color (Tensor): Shape (B or 1, 3, 1 or H, 1 or W), in [0, 1].
            coverage (Tensor): Opacity in [0, 1], shape (B, H, W).
        """
        self.pixels.lerp_(color.expand_as(self.pixels), coverage.unsqueeze(1).expand_as(self.pixels))

    def shade(self, factor: Tensor | float, coverage: Tensor) -> None:
        """Multiply the covered part of the images by a factor: below 1 darkens, above 1 lightens.

        Args:
            factor (Tensor | float): Broadcastable to ``coverage``.
            coverage (Tensor): Shape (B, H, W), in [0, 1].
        """
        self.pixels.mul_((1 + (factor - 1) * coverage).unsqueeze(1))
