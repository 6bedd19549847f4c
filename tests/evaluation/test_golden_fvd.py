"""Published golden value of FVD; runs where the I3D weights are, and is skipped with a reason elsewhere.

Zeros against ones, videos of shape (8, 30, 3, 64, 64) in [0, 1], all 30 frames: 151.26 by the table of
github.com/JunyaoHu/common_metrics_on_video_quality, for both the StyleGAN-V detector and the PyTorch state dict.
"""

import pytest
import torch

from leokit.feature_extractors import video_features
from leokit.metrics import frechet_distance
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError

GOLDEN, TOLERANCE = 151.26, 0.05


@pytest.mark.parametrize(('kind', 'options'), [('I3D', dict(weights='i3d_pretrained_400')),
                                               ('I3DTorchScript', dict(download=False))])
def test_zeros_against_ones(kind, options):
    FEATURE_EXTRACTORS.import_from_location()
    try:
        extractor = FEATURE_EXTRACTORS.build(dict(type=kind, **options))
    except UserError as error:
        pytest.skip(str(error))
    black, white = torch.full((1, 30, 3, 64, 64), -1.0), torch.ones(1, 30, 3, 64, 64)
    # All eight videos of a set are equal: one pass each, and no covariance.
    features = [video_features(extractor, videos).expand(8, -1) for videos in (black, white)]
    assert frechet_distance(*features) == pytest.approx(GOLDEN, abs=TOLERANCE)
