"""Which codes are rendered: against loops and arithmetic over small numbers."""

import itertools

import pytest
import torch

from leokit.inference import DirectionNames, MotionTransfer, nearest_frame, region_map
from leokit.inference.motion_transfer import StartCandidates
from leokit.utils import UserError

FPS = 25


@pytest.fixture
def driving():
    return torch.randn(11, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def source():
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(2))


def transferred(driving, source, *, pieces=4, **options):
    transfer = MotionTransfer(**options)
    return torch.cat(list(transfer(driving[None].split(pieces, dim=1), source, FPS)), dim=1), transfer


def test_the_nearest_frame_is_that_of_an_exhaustive_search(driving, source):
    scales = torch.tensor([1.0, 100.0, 1e-3, 1.0])  # entries count alike, whatever their unit
    frames = nearest_frame(driving * scales, source * scales)
    deviations = [float(torch.tensor([row[n] for row in driving.tolist()]).std(correction=0)) for n in range(4)]
    for row, number in zip(source.tolist(), frames.tolist()):
        distances = [sum(((a - b) / s) ** 2 for a, b, s in zip(code, row, deviations)) for code in driving.tolist()]
        assert number == distances.index(min(distances))
    assert len(set(frames.tolist())) > 1


def test_an_entry_that_does_not_change_does_not_count(driving, source):
    driving[:, 2] = 5.0
    others = [0, 1, 3]
    assert torch.equal(nearest_frame(driving, source), nearest_frame(driving[:, others], source[:, others]))
    assert nearest_frame(driving[:1], source).tolist() == [0, 0, 0]


@pytest.mark.parametrize('start', ['first', 0, 7, 'auto', 'mean'])
def test_motion_is_relative_to_the_start_frame(driving, source, start):
    codes, transfer = transferred(driving, source, start_frame=start)
    nearest = nearest_frame(driving, source).tolist()
    for b, t in itertools.product(range(3), range(11)):
        number = dict(first=0, auto=nearest[b]).get(start, start)
        reference = driving.mean(0) if start == 'mean' else driving[number]
        assert torch.allclose(codes[b, t], source[b] + driving[t] - reference, atol=1e-5)
    if start == 'auto':  # forwards and backwards from it: there, the source is itself
        assert transfer.start_frames == tuple(nearest)
        assert all(torch.allclose(codes[b, nearest[b]], source[b], atol=1e-5) for b in range(3))


def test_absolute_transfer_and_the_scale(driving, source):
    assert torch.equal(transferred(driving, source, mode='absolute')[0], driving.expand(3, -1, -1))
    half = transferred(driving, source, mode='absolute', motion_scale=0.5)[0]
    assert torch.allclose(half, (source[:, None] + driving) / 2, atol=1e-6)
    doubled = transferred(driving, source, motion_scale=2)[0]
    assert torch.allclose(doubled, source[:, None] + 2 * (driving - driving[0]), atol=1e-5)


def test_frames_are_passed_on_at_once_where_no_later_one_is_needed(driving, source):
    seen = []

    def camera():
        for piece in driving[None].split(4, dim=1):
            seen.append(1)
            yield piece

    for options, waits in (({}, False), (dict(smooth_seconds=0.1, smooth_filter='one_euro'), False),
                           (dict(mode='absolute', start_frame='auto'), False), (dict(start_frame='auto'), True),
                           (dict(start_frame='mean'), True), (dict(start_frame=1), True),
                           (dict(smooth_seconds=0.1), True), (dict(anchor_seconds=1), True)):
        seen.clear()
        transfer = MotionTransfer(**options)
        next(transfer(camera(), source, FPS))
        assert len(seen) == (3 if waits else 1), options


@pytest.mark.parametrize('start', ['auto', 9])
def test_the_reference_may_be_known_before_the_other_frames(driving, source, start):
    driving = driving[:8] if start == 'auto' else driving
    whole, known = MotionTransfer(start_frame=start), MotionTransfer(start_frame=start)
    numbers = known.candidate_frames(len(driving))
    assert numbers == (list(range(8)) if start == 'auto' else [9])
    expected = next(whole(iter([driving[None]]), source, FPS))
    pieces = iter(driving[None].split(2, dim=1))
    first = next(known(pieces, source, FPS, StartCandidates(tuple(numbers), driving[numbers])))
    assert torch.equal(first, expected[:, :2]) and len(list(pieces)) == (len(driving) - 1) // 2
    assert known.start_frames == whole.start_frames


@pytest.mark.parametrize('options', [
    {}, dict(mode='absolute', start_frame=3), dict(start_frame='mean'), dict(start_frame='auto', anchor_seconds=1),
    dict(start_frame='auto', smooth_seconds=0.1), dict(start_frame=2, smooth_seconds=0.1, smooth_filter='one_euro')])
def test_some_transfers_choose_no_frames_beforehand(driving, source, options):
    transfer = MotionTransfer(**options)
    assert transfer.candidate_frames(11) == []
    wrong = StartCandidates((0,), driving[:1] + 5)  # not looked at where all codes are known
    if transfer.needs_whole_video:
        assert torch.equal(next(transfer(iter([driving[None]]), source, FPS, wrong)),
                           transferred(driving, source, **options)[0])


def test_candidates_are_spread_over_a_long_video():
    numbers = MotionTransfer(start_frame='auto').candidate_frames(3501)
    assert numbers == [500 * k for k in range(8)]
    assert MotionTransfer(start_frame='auto').candidate_frames(1) == [0]
    with pytest.raises(UserError, match='start frame 3001 does not exist; the driving video has the frames 0 to 3000'):
        MotionTransfer(start_frame=3001).candidate_frames(3001)


@pytest.mark.parametrize('name', ['kalman', 'one_euro'])
def test_smoothing_lowers_the_jitter_that_is_reported(driving, source, name):
    codes, transfer = transferred(driving, source, smooth_seconds=0.2, smooth_filter=name)
    before = driving[3:] - 3 * driving[2:-1] + 3 * driving[1:-2] - driving[:-3]  # third differences
    assert transfer.jitter[0] == pytest.approx(float(before.norm(dim=1).mean()), rel=1e-5)
    after = codes[0, 3:] - 3 * codes[0, 2:-1] + 3 * codes[0, 1:-2] - codes[0, :-3]
    assert transfer.jitter[1] == pytest.approx(float(after.norm(dim=1).mean()), rel=1e-4)
    assert transfer.jitter[1] < 0.5 * transfer.jitter[0]
    assert torch.allclose(codes[:, 0], source, atol=1e-5)
    assert transferred(driving[:3], source, smooth_seconds=0.2)[1].jitter is None  # too short


def test_anchoring_removes_drift_and_keeps_the_mean():
    time = torch.arange(500.0)
    wobble, drift = torch.sin(time), 0.02 * time
    source = torch.zeros(1, 1)
    codes = transferred((wobble + drift)[:, None], source, start_frame='mean', anchor_seconds=4)[0][0, :, 0]
    assert float((codes[-110:-60].mean() - codes[60:110].mean()).abs()) < 0.1  # without anchoring, 6.6
    middle = slice(60, -60)  # away from the ends, where the window is cut
    assert torch.allclose(codes[middle], wobble[middle], atol=0.06)


def test_regions_keep_the_part_of_the_motion_along_their_directions(driving, source):
    names = DirectionNames(4, dict(yaw=0, mouth_open={'1': 0.6, '2': 0.8}, blink=3))
    for regions, keep in ((dict(pose=1), [0]), (dict(eyes=1, pose=0.5), [3]), ({'3': 1.0}, [3])):
        codes = transferred(driving, source, regions=region_map(names, regions))[0]
        moved = codes - source[:, None]
        expected = torch.zeros(11, 4)
        for entry in keep:
            expected[:, entry] = (driving - driving[0])[:, entry]
        if 'eyes' in regions:
            expected[:, 0] = 0.5 * (driving - driving[0])[:, 0]
        assert torch.allclose(moved, expected.expand(3, -1, -1), atol=1e-5), regions
    codes = transferred(driving, source, mode='absolute', regions=region_map(names, dict(mouth=1)))[0]
    axis = torch.tensor([0, 0.6, 0.8, 0])
    amount = (driving - source[:, None]) @ axis  # (3, 11)
    assert torch.allclose(codes, source[:, None] + amount[..., None] * axis, atol=1e-5)


def test_directions_that_are_not_orthogonal_are_told_apart():
    names = DirectionNames(3, dict(yaw={'0': 1.0, '1': 1.0}, mouth=1))
    only_mouth = region_map(names, dict(mouth=1, pose=0))
    assert torch.allclose(only_mouth @ torch.tensor([1.0, 1.0, 0]), torch.zeros(3), atol=1e-6)
    assert torch.allclose(only_mouth @ torch.tensor([0.0, 1, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6)


@pytest.mark.parametrize('options, sentence', [
    (dict(mode='both'), 'relative, absolute'), (dict(start_frame='best'), 'auto, first, mean or a number'),
    (dict(start_frame=-1), 'a number from 0, got -1'), (dict(anchor_seconds=0), 'longer than 0 seconds'),
    (dict(start_frame=11), 'start frame 11 does not exist; the driving video has the frames 0 to 10')])
def test_options_that_make_no_sense_are_refused(driving, source, options, sentence):
    with pytest.raises(UserError, match=sentence):
        transferred(driving, source, **options)


def test_regions_that_the_model_does_not_know_are_refused():
    with pytest.raises(UserError, match="no direction of the region 'eyes': the named directions are yaw"):
        region_map(DirectionNames(4, dict(yaw=0)), dict(eyes=1))
    with pytest.raises(UserError, match="region 'mouth': no direction has a name"):
        region_map(DirectionNames(4), dict(mouth=1))
    with pytest.raises(UserError, match='give a number from 0 to 3'):
        region_map(DirectionNames(4), {'5': 1.0})
