"""Training losses of the animator."""

from leokit.losses.adversarial import NonSaturatingLoss
from leokit.losses.perceptual import PerceptualLoss
from leokit.losses.pixel import L1Loss
from leokit.losses.r1 import R1Penalty
from leokit.losses.warped_source import WarpedSourceLoss

__all__ = ['L1Loss', 'NonSaturatingLoss', 'PerceptualLoss', 'R1Penalty', 'WarpedSourceLoss']
