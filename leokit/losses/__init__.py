"""Training losses of the animator."""

from leokit.losses.adversarial import NonSaturatingLoss
from leokit.losses.perceptual import PerceptualLoss
from leokit.losses.pixel import L1Loss
from leokit.losses.r1 import R1Penalty

__all__ = ['L1Loss', 'NonSaturatingLoss', 'PerceptualLoss', 'R1Penalty']
