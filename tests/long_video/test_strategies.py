"""The strategies, and long sequences sampled with each of them."""

import pytest
import torch
from long_video.small_models import N, T, build

from leokit.long_video import History, LastCode, Overlap
from leokit.models.motion_windows import KnownCodes
from leokit.registry import LONG_VIDEO
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

STRATEGIES = [dict(type='LastCode'), dict(type='LastCode', pull=0.5), dict(type='History', context_frames=3),
              dict(type='Overlap', overlap=4), dict(type='Overlap', overlap=7, pull=1.0),
              dict(type='Overlap', overlap=1), dict(type='CalibratedOverlap', overlap=4, gain=1.1, period=4, pull=0.5)]


def extend(model, strategy, total, seeds=(1, 2)):
    start = torch.randn(len(seeds), N, generator=torch.Generator().manual_seed(5))
    chunks = list(model.extend(start, total, generator=generators_from_seeds(seeds), long_video=strategy))
    return torch.cat(chunks, dim=1), [chunk.shape[1] for chunk in chunks]


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('strategy', STRATEGIES, ids=str)
def test_a_sequence_has_the_requested_length_and_a_longer_sequence_begins_with_the_shorter(strategy, condition):
    model = build(condition)
    long, lengths = extend(model, strategy, 41)
    assert long.shape == (2, 41, N) and max(lengths) <= T
    for total in (1, 5, 8, 17):
        assert torch.equal(extend(model, strategy, total)[0], long[:, :total])


@pytest.mark.parametrize('strategy', STRATEGIES, ids=str)
def test_a_sequence_does_not_depend_on_its_batch(strategy):
    model = build()
    together = extend(model, strategy, 20)[0]
    start = torch.randn(2, N, generator=torch.Generator().manual_seed(5))
    chunks = model.extend(start[1:], 20, generator=generators_from_seeds([2]), long_video=strategy)
    alone = torch.cat(list(chunks), dim=1)
    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_the_default_strategy_is_the_paper_s_and_is_an_argument_of_the_model():
    model = build()
    assert torch.equal(extend(model, None, 30)[0], extend(model, dict(type='LastCode'), 30)[0])
    model = build(long_video=STRATEGIES[2])
    assert torch.equal(extend(model, None, 30)[0], extend(model, STRATEGIES[2], 30)[0])


def test_sampling_is_lazy_and_holds_one_window_at_a_time():
    for strategy in STRATEGIES:
        chunks = build().extend(torch.zeros(1, N), 10 ** 12, long_video=strategy)
        assert 1 <= next(chunks).shape[1] <= T and 1 <= next(chunks).shape[1] <= T


def test_pull_keeps_codes_near_the_data():
    def greatest(strategy):
        model = build()
        model.diffusion.sampler.num_inference_steps = 10
        codes = extend(model, strategy, 100)[0]
        return ((codes - model.normalizer.mean) / model.normalizer.std).abs().max()
    assert greatest(dict(type='LastCode')) > 3
    assert greatest(dict(type='LastCode', pull=1.0, bound=1.5)) < 0.7 * greatest(dict(type='LastCode'))


def test_nothing_is_corrected_inside_the_bounds():
    strategy = LONG_VIDEO.build(dict(type='LastCode', pull=1.0, bound=2.0))
    window = torch.randn(3, T, N).clamp(-1, 1)
    assert torch.equal(strategy.correction(None, torch.ones(N))(window), window)
    far = strategy.correction(None, torch.ones(N))(torch.full((1, 5, N), 6.0))
    assert torch.allclose(far[0, :, 0], torch.tensor([6.0, 5.0, 4.0, 3.0, 2.0]))


@pytest.mark.parametrize('options, sentence', [
    (dict(type='History', context_frames=0), 'got 0'), (dict(type='LastCode', pull=1.5), 'pull=1.5'),
    (dict(type='Overlap', bound=0), 'bound=0')])
def test_values_out_of_range(options, sentence):
    with pytest.raises(UserError, match=sentence):
        LONG_VIDEO.build(options)


def test_context_that_fills_the_window_is_an_error():
    with pytest.raises(UserError, match='uses 8 frames of context, which leaves no new frame in a window of 8'):
        build().extend(torch.zeros(1, N), 20, long_video=dict(type='History', context_frames=8))


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('strategy', STRATEGIES, ids=str)
def test_window_boundaries_are_where_windows_meet(strategy, condition):
    model = build(condition)
    _, lengths = extend(model, strategy, 41)
    built = LONG_VIDEO.build(strategy)
    begins = torch.tensor(lengths).cumsum(0)[:-1].tolist()
    expected = sorted({frame for begin in begins for frame in (begin, begin + built.pending_frames) if frame < 41})
    assert expected and model.window_boundaries(41, long_video=built) == expected
    assert model.window_boundaries(T - built.pending_frames, long_video=built) == []


# ---- LastCode ------------------------------------------------------------
def test_last_code_needs_no_correction():
    strategy = LastCode()
    assert (strategy.context_frames, strategy.pending_frames) == (1, 0) and strategy.weights().tolist() == [1]
    assert strategy.correction(torch.zeros(2, 1, 3), torch.ones(3)) is None


# ---- History -------------------------------------------------------------
def test_history_replaces_the_predicted_context():
    known = torch.randn(2, 3, N)
    window = torch.randn(2, T, N)
    corrected = History(3).correction(known, torch.ones(N))(window)
    assert torch.equal(corrected[:, :3], known) and torch.equal(corrected[:, 3:], window[:, 3:])
    assert History(3).correction(None, torch.ones(N)) is None


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('sampler', ['DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler'])
def test_every_sampler_reaches_the_context(condition, sampler):
    model, strategy = build(condition, sampler), History(3)
    known = torch.randn(2, 3, N)
    correction = strategy.correction(model.normalizer.normalize(known), model.normalizer.std)
    motion = model.sample(known[:, 0], generator=generators_from_seeds([1, 2]), correction=correction)
    assert torch.allclose(motion[:, :3], known, atol=1e-4)
    free = model.sample(known[:, 0], generator=generators_from_seeds([1, 2]))
    assert not torch.allclose(free[:, 1:3], known[:, 1:], atol=0.1)


def test_the_next_window_starts_with_the_context():
    model, windows = build(), []
    sample = model.sample
    model.sample = lambda *args, **options: windows.append(sample(*args, **options)) or windows[-1]
    whole = torch.cat(list(model.extend(torch.zeros(1, N), 13, long_video=History(3))), dim=1)
    assert torch.allclose(windows[1][:, :3], windows[0][:, -3:], atol=1e-4)
    assert torch.equal(whole, torch.cat([windows[0], windows[1][:, 3:]], dim=1))


# ---- Overlap -------------------------------------------------------------
def test_overlap_weights_decrease():
    strategy = Overlap(4, ramp='linear')
    assert strategy.weights().tolist() == [1, 0.75, 0.5, 0.25] and strategy.pending_frames == 3
    corrected = strategy.correction(torch.ones(1, 4, N), torch.ones(N))(torch.zeros(1, 6, N))
    assert corrected[0, :, 0].tolist() == [1, 0.75, 0.5, 0.25, 0, 0]


def test_the_cosine_ramp_is_flat_at_both_ends():
    weights = Overlap(8).weights()
    steps = -weights.diff()
    assert weights[0] == 1 and 0 < weights[-1] < 0.05 and (steps > 0).all()
    assert steps[0] < steps[3] / 3 and steps[-1] < steps[3]


def test_the_minimum_jerk_ramp_is_smoothest_for_a_difference_that_grows():
    assert Overlap(4, ramp='minimum_jerk').weights().tolist() == [1, 0.73828125, 0.3125, 0.05078125]  # (1-u)^3 (1+3u)

    def squared_jerk(ramp):
        """Of a window at rest that is joined to one which leaves it at constant speed."""
        shared, before = torch.arange(12.0), torch.arange(-6.0, 0)
        window = Overlap(12, ramp=ramp).correction(shared[None, :, None], torch.ones(1))(torch.zeros(1, 24, 1))
        return torch.cat([before, window[0, :, 0]]).diff(n=3).square().sum()
    smooth = squared_jerk('minimum_jerk')
    assert smooth < 0.85 * squared_jerk('cosine') and smooth < 0.85 * squared_jerk('linear')


def test_unknown_ramps_are_an_error():
    with pytest.raises(UserError, match="cosine, linear, minimum_jerk, got 'cubic'"):
        Overlap(8, ramp='cubic')


def test_overlapping_codes_are_those_of_the_second_window():
    model, windows = build(), []
    sample = model.sample
    model.sample = lambda *args, **options: windows.append(sample(*args, **options)) or windows[-1]
    chunks = list(model.extend(torch.zeros(1, N), 9, long_video=Overlap(4)))
    assert [chunk.shape[1] for chunk in chunks] == [5, 4]
    assert torch.equal(torch.cat(chunks, dim=1), torch.cat([windows[0][:, :5], windows[1][:, 1:5]], dim=1))
    assert torch.equal(windows[1][:, 0], windows[0][:, 4])
    assert not torch.equal(windows[0][:, 5:], windows[1][:, 1:4])


def test_the_bound_is_in_standard_deviations_of_each_dimension():
    strategy = LONG_VIDEO.build(dict(type='LastCode', pull=1.0, bound=1.5))
    far = strategy.correction(None, torch.tensor([1.0, 2.0]))(torch.full((1, T, N), 6.0))
    assert far[0, 0].tolist() == [6, 6]
    torch.testing.assert_close(far[0, -1], torch.tensor([1.5, 3.0]))
    half = LONG_VIDEO.build(dict(type='LastCode', pull=0.5, bound=1.5)).correction(None, torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(half(torch.full((1, T, N), -6.0))[0, -1], torch.tensor([-3.75, -4.5]))


def test_the_strategy_is_given_the_deviation_of_normalized_codes(monkeypatch):
    """Codes deviate by 2 and 0.5 and are divided by the deviation of the residuals, 1 and 0.5."""
    seen = []
    correction = LastCode.correction
    monkeypatch.setattr(LastCode, 'correction', lambda self, context, std: seen.append(std) or correction(
        self, context, std))
    extend(build(), dict(type='LastCode', pull=1.0), 2 * T)
    assert [std.tolist() for std in seen] == [[2.0, 1.0]] * len(seen) and len(seen) > 1


class FirstOfItsKind:
    """As a CUDA graph: calls of one kind run the function of the first, with their own inputs."""

    def __init__(self):
        self.functions, self.calls = {}, 0

    def __call__(self, function, inputs, kind):
        self.calls += 1
        kind = (kind, *((x.shape, x.dtype) for x in inputs))
        return self.functions.setdefault(kind, function)(*inputs)


@pytest.mark.parametrize('steered', [False, True])
@pytest.mark.parametrize('strategy', STRATEGIES, ids=str)
def test_windows_can_be_replayed_with_other_data(strategy, steered):
    """What differs between windows is in the inputs; all windows are of two kinds, the first and the others."""
    model, total = build(), 41
    start, codes = (torch.randn(shape, generator=torch.Generator().manual_seed(5)) for shape in ((2, N), (2, total, N)))
    mask = torch.zeros(2, total, dtype=torch.bool)
    mask[0, 20], mask[1, 31] = True, True
    known = KnownCodes(codes, mask, reach=3) if steered else None

    def sequence():
        return torch.cat(list(model.extend(start, total, known=known, long_video=strategy,
                                           generator=torch.Generator().manual_seed(1))), dim=1)

    expected, graphs = sequence(), FirstOfItsKind()
    model.sampling_graphs = lambda sampler: graphs
    assert torch.equal(sequence(), expected)
    assert graphs.calls > 2 and len(graphs.functions) <= 2


def test_another_strength_is_another_kind():
    model, graphs = build(), FirstOfItsKind()
    model.sampling_graphs = lambda sampler: graphs
    sequences = [extend(model, dict(type='LastCode', pull=pull, bound=0.5), 16)[0] for pull in (0.25, 1.0)]
    assert not torch.equal(*sequences)
