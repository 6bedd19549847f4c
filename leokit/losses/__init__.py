"""Training losses of the animator.

One of ``model.training.losses`` is a module with a ``name`` and a ``weight`` that makes a scalar of the generated and
the driving frames. One that wants other things names them in ``reads``, in the order of its arguments: of ``source``,
``driving``, ``frames`` (the generated ones) and ``flows`` (of all sides, so last).
"""

from leokit.losses.adversarial_loss import NonSaturatingLoss
from leokit.losses.changed_pixel_loss import ChangedPixelLoss
from leokit.losses.perceptual_loss import PerceptualLoss
from leokit.losses.pixel_loss import L1Loss
from leokit.losses.r1 import R1Penalty
from leokit.losses.warped_source_loss import WarpedSourceLoss

__all__ = [
    'ChangedPixelLoss', 'L1Loss', 'NonSaturatingLoss', 'PerceptualLoss', 'R1Penalty', 'WarpedSourceLoss',
]
