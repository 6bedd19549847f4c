import pytest
import torch

from leokit.losses import ChangedPixelLoss
from leokit.models import Animator


def faces(side=64):
    """A gray image, and the same with a small bright square."""
    source = torch.zeros(2, 3, side, side)
    driving = source.clone()
    driving[:, :, 40:44, 30:36] = 1.0
    return source, driving


def test_the_loss_of_the_driving_image_is_zero():
    source, driving = faces()
    assert ChangedPixelLoss()(source, driving, driving) == 0


def test_changed_pixels_have_larger_weights():
    source, driving = faces()
    wrong_there, wrong_elsewhere = driving.clone(), driving.clone()
    wrong_there[:, :, 40:44, 30:36] -= 0.5
    wrong_elsewhere[:, :, 10:14, 30:36] -= 0.5
    loss = ChangedPixelLoss()
    assert loss(source, driving, wrong_there) > 10 * loss(source, driving, wrong_elsewhere) > 0


def test_pairs_with_small_changes_count_as_much():
    source, driving = faces()
    for change in (driving, source + torch.rand_like(source)):
        assert float(ChangedPixelLoss()(source, change, change + 0.1)) == pytest.approx(0.1, rel=1e-4)


def test_equal_frames_have_equal_weights():
    picture = torch.rand(2, 3, 32, 32)
    wrong = picture + torch.randn_like(picture)
    torch.testing.assert_close(ChangedPixelLoss()(picture, picture, wrong), (wrong - picture).abs().mean())


def test_only_the_prediction_has_a_gradient():
    source, driving, prediction = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(3))
    ChangedPixelLoss()(source, driving, prediction).backward()
    assert source.grad is None and driving.grad is None and prediction.grad.abs().sum() > 0


def test_the_animator_passes_the_source():
    animator = Animator(32, 16, motion_dim=4, max_channels=8, flow_generator=dict(
        type='LIAFlowGenerator', warp_operator=dict(type='BilinearWarp', grid='exact')),
        training=dict(losses=[dict(type='ChangedPixelLoss')]))
    source, driving = torch.rand(2, 2, 3, 32, 32).unbind()
    terms = animator(dict(source=source, driving=driving), mode='loss')
    # at its start the animator copies the source
    torch.testing.assert_close(terms['loss_changed'], ChangedPixelLoss()(source, driving, source), rtol=0.05, atol=0)


def test_the_floor_must_be_above_zero():
    with pytest.raises(ValueError, match='floor'):
        ChangedPixelLoss(floor=0)


def test_the_neighborhood_of_a_change_is_one_pixel_at_64_and_two_at_128():
    """Weights by hand: one changed pixel raises those within ``resolution // 64`` pixels, and no others."""
    for resolution, reach in ((64, 1), (128, 2)):
        source = torch.zeros(1, 3, resolution, resolution)
        driving = source.clone()
        driving[..., 30, 40] = 1.0
        width = 2 * reach + 1
        change = torch.full((resolution, resolution), 0.02, dtype=torch.float64)
        change[30 - reach:31 + reach, 40 - reach:41 + reach] += 1 / width ** 2
        weights = change / change.mean()
        for y, x in ((30, 40), (30 + reach, 40 - reach), (31 + reach, 40), (0, 0)):
            wrong = driving.clone()
            wrong[..., y, x] += 0.5
            expected = float(weights[y, x]) * 0.5 / resolution ** 2
            assert float(ChangedPixelLoss()(source, driving, wrong)) == pytest.approx(expected, rel=1e-4)


def test_the_width_decides_the_neighborhood():
    """Two pixels at a width of 128: a change is seen in 25 pixels, whose weights it raises."""
    source = torch.zeros(1, 3, 64, 128)
    driving = source.clone()
    driving[..., 30, 40] = 1.0
    wrong = driving.clone()
    wrong[..., 32, 42] += 0.5
    expected = (0.02 + 1 / 25) / (0.02 + 1 / (64 * 128)) * 0.5 / (64 * 128)
    assert float(ChangedPixelLoss()(source, driving, wrong)) == pytest.approx(expected, rel=1e-4)


def test_the_weights_of_any_pair_by_brute_force():
    """Signs, channels, pairs and borders: the mean over what is inside of the 3 x 3 pixels around each."""
    generator = torch.Generator().manual_seed(0)
    source, driving, prediction = (torch.rand(2, 3, 7, 127, generator=generator) * 2 - 1 for _ in range(3))
    expected = []
    for pair in range(2):
        change = (driving[pair] - source[pair]).abs().mean(0)
        near = torch.stack([torch.stack([change[max(y - 1, 0):y + 2, max(x - 1, 0):x + 2].mean() for x in range(127)])
                            for y in range(7)]) + 0.02
        expected.append((near / near.mean() * (prediction[pair] - driving[pair]).abs()).mean())
    torch.testing.assert_close(ChangedPixelLoss()(source, driving, prediction), torch.stack(expected).mean())
