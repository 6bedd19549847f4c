"""The loss on the flow at points of the face, against distances by hand and against what the warp samples."""

import pytest
import torch

from leokit.losses import FaceFlowLoss
from leokit.models import Animator
from leokit.nn.face_regions import boxes_to_maps
from leokit.utils import UserError
from leokit.warp_operators import BilinearWarp

NAN = float('nan')
EYE_DISTANCE, MARGIN = 0.2, 0.03  # of the image; the margin is 0.15 eye distances
UNIT = 2 * EYE_DISTANCE  # eye distance in an image from -1 to 1


def face(x=0.5, y=0.4, mouth_height=0.08):
    """Maps of an upright face, (1, R, 2, 3); x, y is the middle of the eyes; all in fractions of the image."""
    def box(right, down, width, height):
        return [x + right - width / 2 - MARGIN, y + down - height / 2 - MARGIN,
                x + right + width / 2 + MARGIN, y + down + height / 2 + MARGIN]
    return boxes_to_maps(torch.tensor([[box(0, 0.25, 0.2, mouth_height), box(-0.1, 0, 0.08, 0.03),
                                        box(0.1, 0, 0.08, 0.03), [0.0, 0.0, 1.0, 1.0]]]))


def smooth_l1(x):
    return 0.5 * x * x / 0.1 if abs(x) < 0.1 else abs(x) - 0.05


def constant(right, down, size=32):
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(1, 2, size, size)


def test_values_by_hand():
    loss = FaceFlowLoss(grid='exact')
    # the driving face is 0.1 of the image further right: sampling positions lie 0.2 to the left
    source, driving = face(), face(x=0.6)
    assert float(loss(source, driving, constant(-0.2, 0.0))) == pytest.approx(0, abs=1e-6)
    still = 2 * smooth_l1(0.2 / UNIT)  # mouth and eyes
    assert float(loss(source, driving, constant(0.0, 0.0))) == pytest.approx(still, abs=1e-5)
    wrong = 2 * (smooth_l1(0.2 / UNIT) + smooth_l1(0.02 / UNIT))
    assert float(loss(source, driving, constant(0.0, 0.02))) == pytest.approx(wrong, abs=1e-5)


def test_an_opening_mouth():
    # upper and lower lip move apart by 0.08 of the image; the other points do not move
    closed, opened = face(mouth_height=0.04), face(mouth_height=0.12)
    for weights, expected in ((None, 0.5), (dict(mouth=2.0), 1.0), (dict(eyes=1.0), 0.0), (dict(lids=1.0), 0.0)):
        loss = FaceFlowLoss(weights=weights, grid='exact')(closed, opened, constant(0.0, 0.0))
        assert float(loss) == pytest.approx(expected * smooth_l1(0.08 / UNIT), abs=1e-5), weights


@pytest.mark.parametrize('grid', ['lia', 'exact', 'corners'])
def test_without_loss_the_warp_shows_the_point_of_the_source(grid):
    """A dot at the right corner of the source's mouth; the warp must show it at that of the driving face."""
    size, source, driving = 32, face(0.5, 0.4), face(0.57, 0.34)
    corner = torch.tensor([0.5 + 0.1, 0.4 + 0.25]) * size - 0.5  # in pixels, of which 0 is the center of the first
    x = torch.arange(size).float()
    dot = torch.exp(-((x[None, :] - corner[0])**2 + (x[:, None] - corner[1])**2) / 8)[None, None]
    loss = FaceFlowLoss(grid=grid)
    shift = torch.zeros(1, 2, 1, 1, requires_grad=True)  # a flow that shifts and scales
    scale = torch.zeros(1, 1, 1, 1, requires_grad=True)
    optimizer = torch.optim.Adam([shift, scale], lr=0.01)
    center = (torch.arange(size) + 0.5) * 2 / size - 1
    plane = torch.stack(torch.meshgrid(center, center, indexing='xy'))[None]
    for _ in range(600):
        optimizer.zero_grad()
        flow = shift + scale * plane
        value = loss(source, driving, flow)
        value.backward()
        optimizer.step()
    assert float(value) < 1e-4
    warp = BilinearWarp(grid) if grid != 'corners' else None
    if warp is None:  # LIA-X's: -1 and 1 are the centers of the corner pixels
        places = torch.linspace(-1, 1, size)
        identity = torch.stack(torch.meshgrid(places, places, indexing='xy'))[None]
        seen = torch.nn.functional.grid_sample(dot, (identity + flow).permute(0, 2, 3, 1), align_corners=True)
    else:
        seen = warp(dot, flow, torch.ones(1, 1, size, size))
    weights = seen.detach()[0, 0] / seen.sum().detach()
    found = torch.stack([(weights.sum(0) * x).sum(), (weights.sum(1) * x).sum()])
    assert found.tolist() == pytest.approx(((torch.tensor([0.57 + 0.1, 0.34 + 0.25]) * size) - 0.5).tolist(), abs=0.05)


def test_coarse_flows_are_left_out_and_the_others_averaged():
    source, driving = face(), face(x=0.6)
    still = 2 * smooth_l1(0.2 / UNIT)
    flows = [constant(9.0, 9.0, 8), constant(-0.2, 0.0, 16), constant(0.0, 0.0, 32)]
    assert float(FaceFlowLoss(grid='exact')(source, driving, *flows)) == pytest.approx(still / 2, abs=1e-5)
    with pytest.raises(ValueError, match='min_resolution of 64'):
        FaceFlowLoss(min_resolution=64)(source, driving, *flows)


def test_unknown_points_add_nothing_and_give_finite_gradients():
    source, driving = face().repeat(4, 1, 1, 1), face(x=0.6).repeat(4, 1, 1, 1)
    source[0], driving[1, 0] = NAN, NAN  # no face; no mouth
    driving[2] = face(x=0.95)[0]  # the right corner of the mouth and the right eye's of the image are at 1.05 and 1.09
    flow = torch.zeros(4, 2, 32, 32, requires_grad=True)
    value = FaceFlowLoss(grid='exact')(source, driving, flow)
    value.backward()
    near, far = smooth_l1(0.2 / UNIT), smooth_l1(0.9 / UNIT)
    # three of the four points of the mouth, and two of the corners of the eyes; the third one, at 1.01, is outside too
    pairs = [0, near, (3 / 4 + 2 / 4) * far, 2 * near]
    assert float(value) == pytest.approx(sum(pairs) / 4, abs=1e-4)
    assert flow.grad.isfinite().all() and flow.grad[0].abs().sum() == 0 and flow.grad[3].abs().sum() > 0


def test_eyes_at_one_point_have_no_unit():
    source, flow = face(), torch.zeros(1, 2, 32, 32, requires_grad=True)
    source[:, 2] = source[:, 1]
    value = FaceFlowLoss(grid='exact')(source, face(), flow)
    value.backward()
    assert float(value) == 0 and not flow.grad.any()


def test_arguments():
    with pytest.raises(ValueError, match='weights must name parts of the shape of a face .mouth, eyes, lids'):
        FaceFlowLoss(weights=dict(nose=1.0))
    with pytest.raises(ValueError, match='weights must not be negative'):
        FaceFlowLoss(weights=dict(mouth=-1.0))
    with pytest.raises(ValueError, match="grid must be one of .*'wide'"):
        FaceFlowLoss(grid='wide')


def test_in_the_training_of_an_animator():
    torch.manual_seed(0)
    animator = Animator(32, 16, motion_dim=4, max_channels=8, training=dict(losses=[
        dict(type='L1Loss'), dict(type='FaceFlowLoss', weight=0.5)]))
    source, driving = torch.rand(2, 2, 3, 32, 32)
    pair = dict(source=source, driving=driving)
    with pytest.raises(UserError, match="the loss 'face_flow' needs regions"):
        animator(pair, mode='loss')
    losses = animator(dict(pair, regions=face(x=0.6).repeat(2, 1, 1, 1), source_regions=face().repeat(2, 1, 1, 1)),
                      mode='loss')
    # the animator starts with zero flow; LIA's grid at 16 and 32 pixels is that of the pixels up to some percent
    assert float(losses['loss_face_flow']) == pytest.approx(0.5 * 2 * smooth_l1(0.2 / UNIT), rel=0.2)
    sum(losses.values()).backward()
    assert any(weight.grad.abs().sum() > 0 for weight in animator.flow_generator.levels[-1].to_flow.parameters())
