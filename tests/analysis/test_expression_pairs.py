import numpy as np
import pytest
import torch

from leokit.analysis import SyntheticPairs, measure_expressions
from leokit.analysis.expression_pairs import PARAMETERS
from leokit.datasets import FramePairDataset
from leokit.models import Animator
from leokit.synthetic_faces import MOTION_NAMES, SyntheticFacesPlan, load_truth, sample_textures, write_synthetic_faces
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError

SIZE = 64


@pytest.fixture(scope='module')
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp('faces')
    settings = dict(clips_per_identity=1, num_frames=20, size=SIZE, train=1, val=0, test=0)
    write_synthetic_faces(folder, SyntheticFacesPlan(num_identities=4, **settings), workers=0, show_progress=False)
    save_truth(folder, SyntheticFacesPlan(num_identities=60, **settings))  # for percentiles of many clips
    return FramePairDataset(folder, SIZE), load_truth(folder)


def test_the_frames_of_a_pair_differ_in_one_parameter(faces):
    dataset, truth = faces
    find, visible = SyntheticPairs(truth, count=3), 0
    for video in dataset.videos:
        frames, found = find(dataset, video)
        assert set(found) == set(PARAMETERS) and frames.shape == (3 * len(PARAMETERS) * 2, 3, SIZE, SIZE)
        for pairs in found.values():
            assert len(pairs) % 2 == 0
            for there, back in zip(pairs[::2], pairs[1::2]):
                assert (there.source, there.driving) == (back.driving, back.source)
                assert (there.change, back.change) == (1, -1)
                assert there.region is None and not torch.equal(frames[there.source], frames[there.driving])
                visible += 1
    assert visible > 0.8 * 4 * 3 * len(PARAMETERS)


def test_a_mouth_opens_over_the_range_of_the_data_set(faces):
    dataset, truth = faces
    frames, found = SyntheticPairs(truth, count=1)(dataset, dataset.videos[0])
    mouth = found['mouth_open'][0]
    # in the lower half, and nothing outside the head
    change = (frames[mouth.driving] - frames[mouth.source]).abs().sum(0)
    rows = torch.arange(SIZE, dtype=torch.float32)
    assert SIZE / 2 < (change.sum(1) * rows).sum() / change.sum() < 0.8 * SIZE
    assert change[:, :8].sum() == change[:, -8:].sum() == 0
    blink = found['blink'][0]
    change = (frames[blink.driving] - frames[blink.source]).abs().sum(0)
    assert (change.sum(1) * rows).sum() / change.sum() < SIZE / 2
    column = MOTION_NAMES.index('mouth_open')
    narrow = truth._replace(motion=np.where(np.arange(len(MOTION_NAMES)) == column, truth.motion / 4, truth.motion))
    less, found = SyntheticPairs(narrow, count=1)(dataset, dataset.videos[0])
    pair = found['mouth_open'][0]
    assert (less[pair.driving] - less[pair.source]).norm() < 0.8 * (frames[mouth.driving] - frames[mouth.source]).norm()


def test_textured_faces_have_textures_and_no_noise(faces):
    dataset, truth = faces
    drawn, _ = SyntheticPairs(truth, count=1)(dataset, dataset.videos[0])
    textured = truth._replace(textures=sample_textures(range(len(truth.names))))
    frames, found = SyntheticPairs(textured, count=1)(dataset, dataset.videos[0])
    assert (frames - drawn).abs().mean() > 0.03
    mouth = found['mouth_open'][0]
    change = (frames[mouth.driving] - frames[mouth.source]).abs().sum(0)
    assert change.max() > 0.2 and change[:, :8].sum() == change[:, -8:].sum() == 0


def test_the_pose_is_that_of_the_video(faces):
    dataset, truth = faces
    video = dataset.videos[0]
    one, _ = SyntheticPairs(truth, count=1)(dataset, video)
    still = truth._replace(motion=np.repeat(truth.motion[:, :1], truth.motion.shape[1], axis=1))
    same, _ = SyntheticPairs(still, count=2)(dataset, video)
    assert torch.equal(same[:12], same[12:])
    more, _ = SyntheticPairs(truth, count=2)(dataset, video)
    assert torch.equal(more[:12], one) and not torch.equal(more[12:], one)


def test_a_video_of_another_data_set_is_named(faces):
    dataset, truth = faces
    with pytest.raises(UserError, match=f"there is no ground truth for the video '{dataset.videos[0].name}'"):
        SyntheticPairs(truth._replace(names=['a']))(dataset, dataset.videos[0])


def test_an_animator_that_copies_the_source_is_driven_by_nothing(faces):
    dataset, truth = faces
    copying = Animator(SIZE, 16, motion_dim=4, max_channels=8, flow_generator=dict(
        type='LIAFlowGenerator', warp_operator=dict(type='BilinearWarp', grid='exact'))).eval()
    report = measure_expressions(copying, dataset, SyntheticPairs(truth, count=1))
    assert list(report.values()) == list(PARAMETERS)
    for value in report.values().values():
        assert value['driven'] == pytest.approx(0, abs=1e-6) and value['ratio_l1'] == pytest.approx(1, abs=0.05)
        assert value['pairs'] >= 6
