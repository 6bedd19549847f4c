"""Transfer against rendered truth: animations that are made from it, whose values follow from their definition."""

import numpy as np
import pytest
import torch

from leokit.analysis import measure_transfer, transfer_report, transfer_table
from leokit.analysis.transfer_report import CASES, COLORS, GLASSES, OTHER, OWN
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth, render_faces
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from support.tiny_models import make_animator

SIZE = 32
T = 9


@pytest.fixture(scope='module')
def truth(tmp_path_factory):
    folder = tmp_path_factory.mktemp('faces')
    save_truth(folder, SyntheticFacesPlan(num_identities=4, clips_per_identity=2, num_frames=T, size=SIZE, train=1,
                                          val=0, test=0))
    return load_truth(folder)


def test_a_repeated_source_gains_nothing_and_keeps_what_a_copy_keeps(truth, monkeypatch):
    monkeypatch.setattr(transfer_report, '_animate', lambda animator, frames, mode: frames[:, :1].expand_as(frames))
    result = measure_transfer(make_animator(), truth, num_frames=T)
    assert result['frames'] == T and result['mode'] == 'relative' and list(result['cases']) == list(CASES)
    assert result['videos'] == truth.names[::2]  # the first of each identity
    for case, values in result['cases'].items():
        assert values['l1'] == values['copy_l1'] and values['ratio_l1'] == (1, 0)
        assert ('kept' in values) == (case != OWN)
    for case in CASES[1:]:
        values = result['cases'][case]
        assert values['kept'] == values['copy_kept']
        assert 0.1 < values['kept'][0] < 1


@pytest.mark.parametrize('late', [False, True])
def test_half_the_contrast_keeps_half_of_the_difference(truth, monkeypatch, late):
    """The last quarter may also repeat the driving identity: nothing of the difference is left there."""
    def animate(animator, frames, mode):
        last = frames[:1].expand_as(frames) if late else frames
        return torch.cat([frames[:, :7], last[:, 7:]], dim=1) * 0.5
    monkeypatch.setattr(transfer_report, '_animate', animate)
    cases = measure_transfer(make_animator(), truth, num_frames=T)['cases']
    for case in CASES[1:]:
        assert cases[case]['kept_late'][0] == (0 if late else 0.5)
        assert cases[case]['kept'][0] == pytest.approx(0.5 * 0.75 if late else 0.5, abs=0.05 if late else 0)


def test_the_cases_differ_in_what_they_are_named_after(truth, monkeypatch):
    seen = []
    monkeypatch.setattr(transfer_report, '_animate', lambda animator, frames, mode: seen.append(frames) or frames * 0.5)
    measure_transfer(make_animator(), truth, num_frames=3)
    own, other, colors, glasses = seen[0]  # identity 0, with identity 1 in row 2
    motion = torch.from_numpy(truth.motion[0, :3])

    def rendered(**changes):
        look = truth.appearance[:1].copy()
        for name, value in changes.items():
            look[0, truth.appearance_names.index(name)] = value
        return from_uint8(render_faces(torch.from_numpy(look), motion, size=SIZE))
    assert torch.equal(own, rendered())
    assert torch.equal(other, from_uint8(render_faces(torch.from_numpy(truth.appearance[2:3]), motion, size=SIZE)))
    names = [f'{part}_{channel}' for part in ('skin', 'hair_color', 'brow_color', 'lips', 'cloth', 'trim')
             for channel in 'rgb']
    guest = dict(zip(truth.appearance_names, truth.appearance[2]))
    assert torch.equal(colors, rendered(**{name: guest[name] for name in names}))
    assert torch.equal(glasses, rendered(glasses=1 - truth.appearance[0, truth.appearance_names.index('glasses')]))
    assert not torch.equal(glasses, own) and not torch.equal(colors, own)


def test_the_error_is_that_of_leaving_out_one_video(truth, monkeypatch):
    monkeypatch.setattr(transfer_report, '_animate', lambda animator, frames, mode: frames * 0.5)
    result = measure_transfer(make_animator(), truth, num_frames=3)
    pairs = []
    for row in (0, 2, 4, 6):
        frames = from_uint8(render_faces(torch.from_numpy(truth.appearance[row:row + 1]),
                                         torch.from_numpy(truth.motion[row, :3]), size=SIZE)).double()
        pairs.append([(frames[:1] - frames[1:]).abs().mean() / 2, frames[1:].abs().mean() / 4])
    copy, l1 = np.array(pairs).T
    values = result['cases'][OWN]
    assert values['l1'][0] == pytest.approx(l1.mean()) and values['copy_l1'][0] == pytest.approx(copy.mean())
    left = np.array([np.delete(copy, k).mean() / np.delete(l1, k).mean() for k in range(4)])
    error = np.sqrt(3 / 4 * ((left - left.mean())**2).sum())
    assert values['ratio_l1'] == pytest.approx((copy.mean() / l1.mean(), error))


def test_modes_differ_for_other_identities(truth):
    animator = make_animator()
    relative, absolute = (measure_transfer(animator, truth, num_frames=3, mode=mode)['cases']
                          for mode in ('relative', 'absolute'))
    # a code since the first frame, added to the source's own: nothing changes for the driving identity itself
    assert relative[OWN]['l1'][0] == pytest.approx(absolute[OWN]['l1'][0], rel=1e-6)
    assert relative[OTHER]['l1'][0] != pytest.approx(absolute[OTHER]['l1'][0], rel=1e-5)


def test_the_table_has_a_row_for_every_case(truth):
    text = transfer_table(measure_transfer(make_animator(), truth, num_videos=3, num_frames=2))
    assert text.startswith('3 videos of 2 frames, relative transfer\n')
    assert all(f'\n| {case} | ' in text for case in (OWN, OTHER, COLORS, GLASSES)) and text.count('–') == 3


@pytest.mark.parametrize('options, message', [
    (dict(num_frames=T + 1), f'the videos have {T} frames'), (dict(num_frames=1), 'from 2 up'),
    (dict(num_videos=2), '2 identities are too few')])
def test_what_cannot_be_measured(truth, options, message):
    with pytest.raises(UserError, match=message):
        measure_transfer(make_animator(), truth, **dict(dict(num_frames=3), **options))
