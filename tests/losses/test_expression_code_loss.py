"""The guidance loss on motion codes, against smooth L1 by hand, and its weights in the training of an animator."""

import pytest
import torch
from torch.distributed import destroy_process_group, init_process_group
from torch.nn.parallel import DistributedDataParallel

from leokit.engine import TRAINING_ONLY, load_weights
from leokit.losses import ExpressionCodeLoss
from leokit.models import Animator
from leokit.nn.face_regions import boxes_to_maps
from leokit.utils import UserError
from leokit.utils.cuda_graphs import GraphedScalar
from leokit.utils.hashing import animator_hash

NAN = float('nan')
EYE_DISTANCE, MARGIN = 0.2, 0.03  # of the image; the margin is 0.15 eye distances


def face(mouth=(0.3, 0.8), eyes=(0.2, 0.2), mouth_center=(0.0, 1.0)):
    """Maps of an upright face, (R, 2, 3), from height and width of the mouth and heights of the eyes."""
    def box(x, y, width, height):
        half_width, half_height = width * EYE_DISTANCE / 2 + MARGIN, height * EYE_DISTANCE / 2 + MARGIN
        x, y = 0.5 + x * EYE_DISTANCE, 0.4 + y * EYE_DISTANCE
        return [x - half_width, y - half_height, x + half_width, y + half_height]
    return boxes_to_maps(torch.tensor([box(*mouth_center, mouth[1], mouth[0]), box(-0.5, 0.0, 0.4, eyes[0]),
                                       box(0.5, 0.0, 0.4, eyes[1]), [0.0, 0.0, 1.0, 1.0]]))


def smooth_l1(x):
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def loss_with(*columns, **options):
    """Each measure is predicted as a multiple of one entry of a code of three."""
    loss = ExpressionCodeLoss(3, **options)
    with torch.no_grad():
        loss.head.weight.zero_()
        for measure, (entry, factor) in enumerate(columns):
            loss.head.weight[measure, entry] = factor
    return loss


CODES = torch.tensor([[0.5, 1.0, -1.0]]), torch.tensor([[1.5, -1.0, 2.0]])  # their difference is 1, -2, 3
OPEN, CLOSED = face((0.52, 0.73), (0.162, 0.219)), face()  # changes by 2, -1, -1, 0.5 spreads


def test_values_by_hand():
    # predicted 1.5, -2, 0, 2; changed by 0.22 / 0.11, -0.07 / 0.07, -0.038 / 0.038, 0.019 / 0.038
    mouth = (smooth_l1(1.5 - 2) + smooth_l1(-2 + 1)) / 2
    eyes = (smooth_l1(0 + 1) + smooth_l1(2 - 0.5)) / 2
    for weights, expected in ((None, mouth + eyes), (dict(mouth=1.0), mouth),
                              (dict(eyes=0.5, mouth=2.0), 2 * mouth + 0.5 * eyes)):
        loss = loss_with((0, 1.5), (1, 1.0), (2, 0.0), (0, 2.0), weights=weights)
        assert loss(*CODES, CLOSED[None], OPEN[None]).item() == pytest.approx(expected, abs=1e-3)


def test_the_position_of_the_mouth():
    loss = loss_with(*[(0, 0.0)] * 4, (1, 1.0), (2, -1.0), weights=dict(position=1.0))
    moved = face(mouth_center=(0.08, 0.86))  # by 2 and -2 spreads
    expected = (smooth_l1(-2 - 2) + smooth_l1(-3 + 2)) / 2
    assert loss(*CODES, CLOSED[None], moved[None]).item() == pytest.approx(expected, abs=1e-3)


def test_only_differences_count():
    """Neither the resting face nor the origin of the codes, and both directions are alike."""
    torch.manual_seed(0)
    loss, (source, driving) = ExpressionCodeLoss(3), CODES
    value = loss(source, driving, CLOSED[None], OPEN[None])
    other = face((0.42, 0.83), (0.262, 0.319)), face((0.2, 0.9), (0.3, 0.3))  # the same changes
    torch.testing.assert_close(loss(source, driving, other[1][None], other[0][None]), value, atol=1e-4, rtol=0)
    torch.testing.assert_close(loss(source + 7, driving + 7, CLOSED[None], OPEN[None]), value)
    torch.testing.assert_close(loss(driving, source, OPEN[None], CLOSED[None]), value)
    assert loss(source, source, CLOSED[None], CLOSED[None]).item() == 0


def test_what_was_not_found_counts_as_zero_in_the_average():
    loss = loss_with((0, 1.5), (1, 1.0), (2, 0.0), (0, 2.0))
    mouth, eyes = (0.125 + 0.5) / 2, (0.5 + 1.0) / 2
    sources, drivers = CLOSED.repeat(5, 1, 1, 1), OPEN.repeat(5, 1, 1, 1)
    sources[1, 0] = drivers[2, 0] = drivers[3, 1] = sources[4, 2] = NAN  # mouth, mouth, an eye, an eye
    codes = [code.repeat(5, 1).requires_grad_() for code in CODES]
    value = loss(*codes, sources, drivers)
    assert value.item() == pytest.approx((mouth + eyes + 2 * eyes) / 5, abs=1e-3)
    value.backward()
    for gradient in (codes[0].grad, codes[1].grad):
        assert gradient.isfinite().all() and gradient[:3].any(1).all() and not gradient[3:].any()
    assert loss.head.weight.grad.isfinite().all()


def test_a_batch_without_regions_has_gradients_of_zero():
    loss = ExpressionCodeLoss(3)
    value = loss(*CODES, CLOSED[None] * NAN, OPEN[None])
    value.backward()
    assert value.item() == 0 and not loss.head.weight.grad.any()


def test_half_precision():
    torch.manual_seed(0)
    loss, (source, driving) = ExpressionCodeLoss(3), CODES  # exact in bfloat16
    expected = loss(source, driving, CLOSED[None], OPEN[None])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(source.bfloat16(), driving.bfloat16(), CLOSED[None], OPEN[None])
    assert value.dtype == torch.float32 and torch.equal(value, expected)


def test_invalid_arguments():
    for weights in ({}, dict(nose=1.0)):
        with pytest.raises(ValueError, match='weights must name parts of the shape of a face .mouth, eyes, position'):
            ExpressionCodeLoss(3, weights=weights)
    with pytest.raises(ValueError, match='weights must not be negative'):
        ExpressionCodeLoss(3, weights=dict(mouth=-1.0))
    with pytest.raises(ValueError, match=r'driving_motion must have shape \(\*, 4\)'):
        ExpressionCodeLoss(4)(*CODES, CLOSED[None], OPEN[None])


def test_only_the_linear_map_is_saved():
    assert list(ExpressionCodeLoss(7).state_dict()) == ['head.weight']
    assert ExpressionCodeLoss(7).head.weight.shape == (6, 7)


# ---- in an animator ------------------------------------------------------------
LOSS = dict(type='ExpressionCodeLoss', motion_dim=4)


def animator(*losses):
    torch.manual_seed(0)
    return Animator(32, 16, motion_dim=4, max_channels=8, training=dict(losses=losses or [LOSS]))


def batch():
    generator = torch.Generator().manual_seed(1)
    source, driving, view = (torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1 for _ in range(3))
    return dict(source=source, driving=driving, motion_view=view, source_regions=CLOSED.repeat(2, 1, 1, 1),
                regions=OPEN.repeat(2, 1, 1, 1))


def test_the_animator_passes_codes_and_regions():
    model, pair = animator(), batch()
    terms = model(pair, mode='loss')
    codes = [model.encode(pair[key]).motion for key in ('source', 'motion_view')]
    expected = model.losses[0](*codes, pair['source_regions'], pair['regions'])
    torch.testing.assert_close(terms['loss_expression_code'], expected)
    terms['loss_expression_code'].backward()
    moved = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert {'losses.expression_code.head.weight', 'encoder.motion_head.4.weight', 'encoder.from_rgb.weight'} <= moved
    assert not any(name.startswith('flow_generator') for name in moved)


@pytest.mark.parametrize('missing', ['regions', 'source_regions'])
def test_without_regions_the_error_says_where_they_come_from(missing):
    pair = batch()
    del pair[missing]
    with pytest.raises(UserError, match="'expression_code' needs regions of the faces; write them with `leokit data"):
        animator()(pair, mode='loss')


def test_compiled_it_is_not_captured_and_its_weights_are_trained(monkeypatch):
    monkeypatch.setattr(torch.nn.Module, 'compile', lambda *_, **__: None)  # of encoder and generator: takes long
    plain, compiled = animator(dict(type='L1Loss'), LOSS), animator(dict(type='L1Loss'), LOSS)
    compiled.compile_parts()
    assert [isinstance(loss, GraphedScalar) for loss in compiled._graphed] == [True, False]
    for model in (plain, compiled):
        sum(model(batch(), mode='loss').values()).backward()
    gradients = [model.losses[1].head.weight.grad for model in (plain, compiled)]
    assert gradients[0].any()
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('weight', [0.0, 0.5])
def test_distributed_training_gets_all_gradients_at_any_weight(weight, tmp_path):
    """Without ``find_unused_parameters``, a second step fails if a weight got no gradient in the first one."""
    model = animator(dict(type='L1Loss'), dict(type='WarpedSourceLoss'), dict(LOSS, weight=weight))
    init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        wrapped = DistributedDataParallel(model)
        for _ in range(2):
            model.zero_grad()
            terms = wrapped(batch(), mode='loss')
            sum(terms.values()).backward()
    finally:
        destroy_process_group()
    assert model.losses[2].head.weight.grad.any() == bool(weight)
    assert bool(terms['loss_expression_code']) == bool(weight)


def test_checkpoints_with_and_without_its_weights_fit_each_other():
    guided, plain = animator(dict(type='L1Loss'), LOSS), animator(dict(type='L1Loss'))
    key = 'losses.expression_code.head.weight'
    for target, source in ((guided, plain), (plain, guided)):
        own = target.state_dict().get(key)
        load_weights(target, source.state_dict(), source='x.pth', optional=TRAINING_ONLY)
        assert own is None or torch.equal(target.state_dict()[key], own)
    assert guided.weights_hash() == plain.weights_hash() == animator_hash(plain.state_dict())
    other = animator(LOSS)  # at another place in the list
    torch.nn.init.zeros_(other.losses[0].head.weight)
    load_weights(other, guided.state_dict(), source='x.pth')
    assert torch.equal(other.losses[0].head.weight, guided.losses[1].head.weight)


def test_two_losses_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two modules have the name 'l1'"):
        animator(dict(type='L1Loss'), dict(type='L1Loss', weight=2.0))


def test_it_has_the_width_of_the_codes():
    with pytest.raises(ValueError, match="'expression_code' in training.losses has motion_dim=7, the animator 4"):
        animator(dict(LOSS, motion_dim=7))
