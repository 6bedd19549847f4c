"""What all continuations share, and long sequences made by each."""

import pytest
import torch
from long_video.small_models import N, T, build

from leokit.registry import LONG_VIDEO
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

RULES = [dict(type='LastCode'), dict(type='LastCode', pull=0.5), dict(type='History', codes=3),
         dict(type='Overlap', codes=4), dict(type='Overlap', codes=7, pull=1.0), dict(type='Overlap', codes=1)]


def extend(model, rule, total, seeds=(1, 2)):
    start = torch.randn(len(seeds), N, generator=torch.Generator().manual_seed(5))
    chunks = list(model.extend(start, total, generator=generators_from_seeds(seeds), continuation=rule))
    return torch.cat(chunks, dim=1), [chunk.shape[1] for chunk in chunks]


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('rule', RULES, ids=str)
def test_exactly_the_frames_asked_for_and_a_longer_sequence_begins_with_the_shorter(rule, condition):
    model = build(condition)
    long, lengths = extend(model, rule, 41)
    assert long.shape == (2, 41, N) and max(lengths) <= T
    for total in (1, 5, 8, 17):
        assert torch.equal(extend(model, rule, total)[0], long[:, :total])


@pytest.mark.parametrize('rule', RULES, ids=str)
def test_a_sequence_does_not_depend_on_its_batch(rule):
    model = build()
    together = extend(model, rule, 20)[0]
    start = torch.randn(2, N, generator=torch.Generator().manual_seed(5))
    alone = torch.cat(list(model.extend(start[1:], 20, generator=generators_from_seeds([2]), continuation=rule)), dim=1)
    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_the_model_s_own_rule_is_the_paper_s_and_can_be_set():
    model = build()
    assert torch.equal(extend(model, None, 30)[0], extend(model, dict(type='LastCode'), 30)[0])
    model.continuation = LONG_VIDEO.build(RULES[2])
    assert torch.equal(extend(model, None, 30)[0], extend(model, RULES[2], 30)[0])


def test_any_length_is_begun_at_once_in_the_memory_of_a_window():
    for rule in RULES:
        chunks = build().extend(torch.zeros(1, N), 10 ** 12, continuation=rule)
        assert 1 <= next(chunks).shape[1] <= T and 1 <= next(chunks).shape[1] <= T


def test_pulling_keeps_codes_near_the_data():
    def greatest(rule):
        model = build()
        model.diffusion.sampler.num_inference_steps = 10
        codes = extend(model, rule, 100)[0]
        return ((codes - model.mean) / model.std).abs().max()
    assert greatest(dict(type='LastCode')) > 3
    assert greatest(dict(type='LastCode', pull=1.0, bound=1.5)) < 0.7 * greatest(dict(type='LastCode'))


def test_nothing_is_corrected_inside_the_bounds():
    rule = LONG_VIDEO.build(dict(type='LastCode', pull=1.0, bound=2.0))
    window = torch.randn(3, T, N).clamp(-1, 1)
    assert torch.equal(rule.correction(None, torch.ones(N))(window), window)
    far = rule.correction(None, torch.ones(N))(torch.full((1, 5, N), 6.0))
    assert torch.allclose(far[0, :, 0], torch.tensor([6.0, 5.0, 4.0, 3.0, 2.0]))


@pytest.mark.parametrize('options, sentence', [
    (dict(type='History', codes=0), 'codes=0'), (dict(type='LastCode', pull=1.5), 'pull=1.5'),
    (dict(type='Overlap', bound=0), 'bound=0')])
def test_numbers_out_of_range_are_sentences(options, sentence):
    with pytest.raises(UserError, match=sentence):
        LONG_VIDEO.build(options)


def test_a_window_must_hold_something_new():
    with pytest.raises(UserError, match='hands over 8 codes, but a window has 8'):
        build().extend(torch.zeros(1, N), 20, continuation=dict(type='History', codes=8))


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('rule', RULES, ids=str)
def test_the_seams_are_where_windows_meet(rule, condition):
    model = build(condition)
    _, lengths = extend(model, rule, 41)
    built = LONG_VIDEO.build(rule)
    begins = torch.tensor(lengths).cumsum(0)[:-1].tolist()
    expected = sorted({seam for begin in begins for seam in (begin, begin + built.held_back) if seam < 41})
    assert expected and model.seams(41, continuation=built) == expected
    assert model.seams(T - built.held_back, continuation=built) == []
