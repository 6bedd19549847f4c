"""A guidance loss: the motion codes of two frames must tell how the expression changes between them.

A mouth that opens needs two things at once: a code that says so, and a generator that paints the inside of a mouth.
Without the code, the best that the generator can paint is the average mouth; without the generator, a code that knows
the mouth does not lower any reconstruction loss. LivePortrait (Guo et al., arXiv 2407.03168, section 3.2) breaks this
circle by a loss on facial landmarks, which pulls some of its implicit keypoints to mouth and eyes. A linear motion code
has no keypoints. Its counterpart here is a linear map, learned together with the animator, from codes to the shape of
the face (:mod:`leokit.nn.face_shape`). Not part of LIA.

The map predicts the difference between driving and source frame from the difference of their codes. People differ in
how high their closed mouths are, which a code of motion should not describe; the difference of two frames of one
person has no such offset. It is also what relative transfer adds to the code of a source.
"""

from typing import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.nn.face_shape import FACE_MEASURES, face_shape, part_factors
from leokit.registry import LOSSES
from leokit.utils import check_shape

# Standard deviations of the difference of two random frames of a clip, in eye distances, as face_shape() has it. In
# clips of 150 identities of SyntheticFaces: mouth 0.117 and 0.062, position 0.033 and 0.065. In 152 real clips with
# landmarks of dlib: mouth 0.107 and 0.082, eyes 0.038, position 0.042 and 0.075. Differences of successive frames,
# which include all noise, divided by the root of 2, in the median clip: 0.027 and 0.018, 0.011, 0.010 and 0.016.
SPREADS = dict(mouth=(0.11, 0.07), eyes=(0.038, 0.038), position=(0.04, 0.07))


@LOSSES.register_module()
class ExpressionCodeLoss(nn.Module):
    """Smooth L1 error of changes of the face's shape, predicted linearly from the change of the motion code.

    Changes are in units of ``SPREADS``; the error of a part is the mean of its measures. A pair in which a region of
    either frame was not found contributes 0 for what needs it and counts in the average over the batch.

    The linear map has no bias, so that no motion is no change, and it is not averaged (EMA), as only training needs it.

    Args:
        motion_dim (int): Width N of the motion code.
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        weights (Mapping[str, float], optional): Factors of the parts of ``FACE_MEASURES``: ``mouth``, ``eyes`` and
            ``position`` of the mouth, which mostly follows the pose of the head; 1 for mouth and eyes by default.
            The boxes of eyes in SyntheticFaces do not follow the lids, so leave the eyes out with these data.
    """

    reads = ('source_motion', 'driving_motion', 'source_regions', 'regions')

    def __init__(self, motion_dim: int, weight: float = 1.0, *, name: str = 'expression_code',
                 weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        factors = part_factors(dict(mouth=1.0, eyes=1.0) if weights is None else weights, FACE_MEASURES)
        self.motion_dim = motion_dim
        self.weight = weight
        self.name = name
        self.head = nn.Linear(motion_dim, sum(map(len, FACE_MEASURES.values())), bias=False)
        self.register_buffer('factors', factors, persistent=False)
        self.register_buffer('spreads', torch.tensor([x for part in FACE_MEASURES for x in SPREADS[part]]),
                             persistent=False)

    def forward(self, source_motion: Tensor, driving_motion: Tensor, source_regions: Tensor,
                regions: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            source_motion (Tensor): Motion codes of the source frames, shape (B, N).
            driving_motion (Tensor): Those of the driving frames, shape (B, N).
            source_regions (Tensor): Maps of the source frame's regions (:mod:`leokit.nn.face_regions`), shape
                (B, R, 2, 3).
            regions (Tensor): Those of the driving frame, same shape.

        Returns:
            Tensor: A float32 scalar.
        """
        check_shape('driving_motion', driving_motion, (None, self.motion_dim))
        change = (face_shape(regions) - face_shape(source_regions)).detach() / self.spreads  # (B, K)
        known = change.isfinite()
        with torch.autocast(driving_motion.device.type, enabled=False):
            predicted = self.head(driving_motion.float() - source_motion.float())
        error = F.smooth_l1_loss(predicted, torch.where(known, change, 0.0), reduction='none')
        return (error * known * self.factors).sum(1).mean()
