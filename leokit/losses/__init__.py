"""Training losses of the animator.

An entry of ``model.training.losses`` is a module with a ``name`` and a ``weight`` that maps the generated and the
driving frames to a scalar. A loss with other inputs names them, in the order of its arguments, in its attribute
``reads``: ``source``, ``driving``, ``frames`` (the generated ones), ``source_motion`` and ``driving_motion`` (the
codes), ``regions`` and ``source_regions`` (of the driving and the source face, if the dataset has them), and last
``flows`` (one per resolution). A loss may have weights of its own, which are trained with the animator.
"""

from leokit.losses.adversarial_loss import NonSaturatingLoss
from leokit.losses.changed_pixel_loss import ChangedPixelLoss
from leokit.losses.expression_code_loss import ExpressionCodeLoss
from leokit.losses.face_crop_loss import FaceCropPerceptualLoss
from leokit.losses.face_flow_loss import FaceFlowLoss
from leokit.losses.face_region_loss import FaceRegionLoss
from leokit.losses.perceptual_loss import PerceptualLoss
from leokit.losses.pixel_loss import L1Loss
from leokit.losses.r1 import R1Penalty
from leokit.losses.warped_source_loss import WarpedSourceLoss

__all__ = [
    'ChangedPixelLoss', 'ExpressionCodeLoss', 'FaceCropPerceptualLoss', 'FaceFlowLoss', 'FaceRegionLoss', 'L1Loss',
    'NonSaturatingLoss', 'PerceptualLoss', 'R1Penalty', 'WarpedSourceLoss',
]
