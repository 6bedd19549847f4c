import pytest
import torch
from long_video.small_models import N, T, build

from leokit.long_video import History
from leokit.samplers import generators_from_seeds


def test_known_codes_are_set_whatever_was_predicted():
    known = torch.randn(2, 3, N)
    window = torch.randn(2, T, N)
    corrected = History(3).correction(known, torch.ones(N))(window)
    assert torch.equal(corrected[:, :3], known) and torch.equal(corrected[:, 3:], window[:, 3:])
    assert History(3).correction(None, torch.ones(N)) is None


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('sampler', ['DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler'])
def test_every_sampler_arrives_at_the_known_codes(condition, sampler):
    model, rule = build(condition, sampler), History(3)
    known = torch.randn(2, 3, N)
    correction = rule.correction(model.normalize(known), model.std)
    motion = model.sample(known[:, 0], generator=generators_from_seeds([1, 2]), correction=correction)
    assert torch.allclose(motion[:, :3], known, atol=1e-4)
    free = model.sample(known[:, 0], generator=generators_from_seeds([1, 2]))
    assert not torch.allclose(free[:, 1:3], known[:, 1:], atol=0.1)


def test_the_next_window_begins_after_the_known_codes():
    model, windows = build(), []
    sample = model.sample
    model.sample = lambda *args, **options: windows.append(sample(*args, **options)) or windows[-1]
    whole = torch.cat(list(model.extend(torch.zeros(1, N), 13, continuation=History(3))), dim=1)
    assert torch.allclose(windows[1][:, :3], windows[0][:, -3:], atol=1e-4)
    assert torch.equal(whole, torch.cat([windows[0], windows[1][:, 3:]], dim=1))
