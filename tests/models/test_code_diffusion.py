"""What the models over motion codes have beyond the others that know them."""

import pytest
import torch

from leokit.models import MotionDiffusion, StartCodeDiffusion
from leokit.utils import UserError

N = 3
STATISTICS = dict(mean=[1.0, 2.0, 3.0], std=[1.0, 0.5, 4.0], residual_std=[0.5, 0.5, 2.0])


@pytest.fixture(params=['motion', 'start'])
def model(request):
    """Each model, statistics not set."""
    torch.manual_seed(0)
    if request.param == 'start':
        return StartCodeDiffusion(N, backbone=dict(type='MLPDenoiser', dim=16, depth=1, embedding_dim=16))
    return MotionDiffusion(N, 4, backbone=dict(
        type='UNet1D', channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8))


def test_normalizing_inverts(model):
    model.set_statistics(**STATISTICS)
    motion = torch.randn(2, 4, N)
    assert torch.allclose(model.denormalize(model.normalize(motion)), motion, atol=1e-6)
    assert torch.allclose(model.normalize(torch.tensor(STATISTICS['mean'])), torch.zeros(N))


def test_the_spread_of_the_motion_is_kept_and_is_that_of_the_codes_where_nobody_says(model):
    model.set_statistics(**STATISTICS)
    assert model.state_dict()['residual_std'].tolist() == STATISTICS['residual_std']
    model.set_statistics(STATISTICS['mean'], STATISTICS['std'])
    assert model.residual_std.tolist() == STATISTICS['std']


def test_a_bad_spread_of_the_motion_is_refused(model):
    with pytest.raises(UserError, match='residual_std.*negative'):
        model.set_statistics(**{**STATISTICS, 'residual_std': [1.0, -1.0, 1.0]})


def test_predictions_are_shaped_like_what_is_real(model):
    model.set_statistics(**STATISTICS)
    rows = model(dict(motion=torch.randn(2, 4, N)), mode='predict')
    assert len(rows) == 2 and all(row['real'].shape == row['generated'].shape for row in rows)
    assert model(dict(motion=torch.randn(2, 4, N)), mode='tensor').shape[-1] == N
