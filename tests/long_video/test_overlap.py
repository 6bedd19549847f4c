import pytest
import torch
from long_video.small_models import N, build

from leokit.long_video import Overlap
from leokit.utils import UserError


def test_the_hold_loosens_towards_the_end():
    rule = Overlap(4, ramp='linear')
    assert rule.weights().tolist() == [1, 0.75, 0.5, 0.25] and rule.held_back == 3
    corrected = rule.correction(torch.ones(1, 4, N), torch.ones(N))(torch.zeros(1, 6, N))
    assert corrected[0, :, 0].tolist() == [1, 0.75, 0.5, 0.25, 0, 0]


def test_the_default_ramp_is_flat_at_both_ends():
    weights = Overlap(8).weights()
    steps = -weights.diff()
    assert weights[0] == 1 and 0 < weights[-1] < 0.05 and (steps > 0).all()
    assert steps[0] < steps[3] / 3 and steps[-1] < steps[3]


def test_unknown_ramps_are_refused():
    with pytest.raises(UserError, match="cosine, linear, got 'cubic'"):
        Overlap(8, ramp='cubic')


def test_shared_codes_are_given_out_as_the_second_window_has_them():
    model, windows = build(), []
    sample = model.sample
    model.sample = lambda *args, **options: windows.append(sample(*args, **options)) or windows[-1]
    chunks = list(model.extend(torch.zeros(1, N), 9, continuation=Overlap(4)))
    assert [chunk.shape[1] for chunk in chunks] == [5, 4]
    assert torch.equal(torch.cat(chunks, dim=1), torch.cat([windows[0][:, :5], windows[1][:, 1:5]], dim=1))
    assert torch.equal(windows[1][:, 0], windows[0][:, 4])
    assert not torch.equal(windows[0][:, 5:], windows[1][:, 1:4])
