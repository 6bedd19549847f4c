"""Normalization of codes, its statistics, and their place in state dicts."""

import copy

import pytest
import torch
from support.signatures import defaults
from torch import nn

from leokit.engine import EMAHook, load_weights
from leokit.models import CodeNormalizer, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.utils import UserError

N = 3
HASH, OTHER_HASH = 'ab' * 32, 'cd' * 32
STATISTICS = dict(mean=[1.0, 2.0, 3.0], std=[1.0, 0.5, 4.0], residual_std=[0.5, 0.5, 2.0])
UNET = dict(channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8)


def build(kind):
    torch.manual_seed(0)
    if kind == 'start':
        return StartCodeDiffusion(N, backbone=dict(type='MLPDenoiser', dim=16, depth=1, embedding_dim=16))
    if kind == 'frame':
        return StartFrameDiffusion(8, N, backbone=dict(type='UNet2D', **UNET))
    return MotionDiffusion(N, 4, backbone=dict(type='UNet1D', **UNET))


@pytest.fixture
def normalizer():
    return CodeNormalizer(N, residuals=True)


def test_denormalizing_inverts_normalizing(normalizer):
    normalizer.set_statistics(**STATISTICS)
    motion = torch.randn(2, 4, N)
    normalized, (mean, std, _) = normalizer.normalize(motion), map(torch.tensor, STATISTICS.values())
    torch.testing.assert_close(normalized, (motion - mean) / std)
    torch.testing.assert_close(normalizer.denormalize(normalized), motion)


def test_the_unit_may_depend_on_the_residuals():
    normalizer = CodeNormalizer(N, residuals=True, unit=torch.minimum)
    normalizer.set_statistics(**STATISTICS)
    assert normalizer.unit().tolist() == [0.5, 0.5, 2.0]
    assert build('motion').normalizer._unit is not None and build('start').normalizer._unit is None


def test_the_unit_is_given_the_deviations_in_order():
    normalizer = CodeNormalizer(N, residuals=True, unit=lambda std, residual_std: std + 10 * residual_std)
    normalizer.set_statistics(**STATISTICS)
    assert normalizer.unit().tolist() == [6.0, 5.5, 24.0]


def test_residual_std_is_std_by_default_and_optional(normalizer):
    normalizer.set_statistics(**STATISTICS)
    assert normalizer.residual_std.tolist() == STATISTICS['residual_std']
    normalizer.set_statistics(STATISTICS['mean'], STATISTICS['std'])
    assert normalizer.residual_std.tolist() == STATISTICS['std']
    assert 'residual_std' not in dict(CodeNormalizer(N).named_buffers())


def test_a_constant_dimension_stays_finite(normalizer):
    normalizer.set_statistics([0.0] * N, [1.0, 0.0, 1.0])
    assert torch.isfinite(normalizer.normalize(torch.ones(2, N))).all()


def test_normalization_needs_statistics(normalizer):
    for method in (normalizer.normalize, normalizer.denormalize):
        with pytest.raises(UserError, match='statistics of this model are not set'):
            method(torch.zeros(N))
    normalizer.set_statistics(**STATISTICS)
    with pytest.raises(UserError, match='4 dimensions.*motion_dim=3'):
        normalizer.normalize(torch.zeros(2, 4))


@pytest.mark.parametrize('change, text', [
    (dict(mean=[0.0] * 4), 'motion_dim'), (dict(std=[0.0] * N), 'zero in every dimension'),
    (dict(std=[1.0, -1.0, 1.0]), 'negative'), (dict(mean=[float('nan')] * N), 'not finite'),
    (dict(residual_std=[1.0, -1.0, 1.0]), 'residual_std.*negative')])
def test_invalid_statistics_are_an_error(normalizer, change, text):
    with pytest.raises(UserError, match=text):
        normalizer.set_statistics(**{**STATISTICS, **change})
    assert not normalizer.statistics_set and torch.isnan(normalizer.mean).all()


def test_statistics_of_another_animator_are_an_error(normalizer):
    assert normalizer.animator_weights_hash is None
    for _ in range(2):
        normalizer.set_statistics(**STATISTICS, animator_hash=HASH)
    with pytest.raises(UserError, match='the model and the training codes belong to different animators .abababababab'):
        normalizer.set_statistics(**STATISTICS, animator_hash=OTHER_HASH)
    assert normalizer.animator_weights_hash == HASH


# ---- state dicts -----------------------------------------------------------
@pytest.mark.parametrize('kind', ['motion', 'start', 'frame'])
def test_statistics_are_at_the_top_level_of_a_checkpoint(kind):
    model = build(kind)
    model.normalizer.set_statistics(STATISTICS['mean'], STATISTICS['std'], animator_hash=HASH)
    state = model.state_dict()
    statistics = {'mean', 'std', 'animator_hash'} | ({'residual_std', 'frame_rate'} if kind != 'frame' else set())
    assert {key for key in state if not key.startswith('backbone.')} == statistics
    for load in (lambda fresh: fresh.load_state_dict(state), lambda fresh: load_weights(fresh, state, source='it'),
                 lambda fresh: nn.ModuleDict(dict(module=fresh)).load_state_dict(
                     {f'module.{key}': value for key, value in state.items()})):
        fresh = build(kind)
        load(fresh)
        assert fresh.normalizer.statistics_set and fresh.code_origin[1:] == (HASH, N)
        assert all(torch.equal(value, fresh.state_dict()[key]) for key, value in state.items())
    with pytest.raises(UserError, match='1 keys are missing .std.'):
        load_weights(build(kind), {key: value for key, value in state.items() if key != 'std'}, source='it')


def test_a_checkpoint_without_statistics_is_known_as_such():
    model = build('motion')
    state = copy.deepcopy(model.state_dict())
    model.normalizer.set_statistics(**STATISTICS)
    model.load_state_dict(state)
    assert not model.normalizer.statistics_set and model.code_origin.animator_hash is None


def test_copies_use_their_own_statistics():
    model = build('motion')
    model.normalizer.set_statistics(**STATISTICS)
    twin = copy.deepcopy(model)
    twin.normalizer.set_statistics([0.0] * N, [2.0] * N)
    assert twin.normalizer._unit.__self__ is twin.motion_condition
    assert model.normalizer.std.tolist() == STATISTICS['std'] and twin.normalizer.unit().tolist() == [2.0] * N


def test_the_average_of_the_weights_contains_the_statistics():
    model = build('start')
    slots = EMAHook()._find_slots(model)
    assert slots.keys() == model.state_dict().keys()
    assert slots['mean'] == (model.normalizer, 'mean')
    assert all(getattr(module, name) is model.state_dict(keep_vars=True)[key]
               for key, (module, name) in slots.items())


def test_the_frame_rate_of_the_sequences_is_exact_and_kept():
    model = build('motion')
    assert model.fps is None
    model.normalizer.set_frame_rate(29.97002997)
    state = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    fresh = build('motion')
    fresh.load_state_dict(state)
    assert fresh.fps == 30000 / 1001
    fresh.normalizer.set_frame_rate(30000 / 1001)
    with pytest.raises(UserError, match='29.97 frames per second, and these codes have 25'):
        fresh.normalizer.set_frame_rate(25)
    older = {name: value for name, value in state.items() if name != 'frame_rate'}
    fresh = build('motion')
    load_weights(fresh, older, source='an older checkpoint')
    assert fresh.fps is None


def test_the_smallest_unit_is_a_thousandth_of_the_largest(normalizer):
    normalizer.set_statistics([0.0] * N, [2.0, 0.0, 1e-4])
    torch.testing.assert_close(normalizer.unit(), torch.tensor([2.0, 0.002, 0.002]))
    normalizer.set_statistics([0.0] * N, [2.0, 0.003, 0.1])
    torch.testing.assert_close(normalizer.unit(), torch.tensor([2.0, 0.003, 0.1]))


def test_statistics_of_float64_are_kept_as_float32_and_zero_means_are_valid(normalizer):
    normalizer.set_statistics(torch.zeros(N, dtype=torch.float64), torch.tensor([1.0, 0, 2], dtype=torch.float64))
    assert normalizer.mean.dtype == normalizer.std.dtype == torch.float32
    assert normalizer.normalize(torch.ones(1, N, dtype=torch.bfloat16)).dtype == torch.float32
    with pytest.raises(UserError, match='std of the codes has shape'):
        normalizer.set_statistics([0.0] * N, [1.0])


def test_a_rate_that_differs_by_rounding_is_the_same(normalizer):
    normalizer.set_frame_rate(25)
    normalizer.set_frame_rate(25.001)
    with pytest.raises(UserError, match='have 25.01'):
        normalizer.set_frame_rate(25.01)


def test_an_animator_is_known_by_any_byte_of_its_hash(normalizer):
    name = '00' * 31 + '01'
    normalizer.set_statistics(**STATISTICS, animator_hash=name)
    assert normalizer.animator_weights_hash == name and normalizer.animator_hash.shape == (32,)
    assert normalizer.fps is None and defaults(CodeNormalizer) == dict(residuals=False)
    assert repr(normalizer) == 'CodeNormalizer(motion_dim=3, statistics_set=True)'
