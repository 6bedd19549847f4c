"""Motion codes of a driving video in a file."""

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.inference import LEO, DrivingCodes, VideoAnimator, is_code_file
from leokit.utils import UserError
from leokit.utils.same_animator import CodeOrigin
from support.tiny_models import make_animator

TOLERANCE = 1e-4  # rounding, which depends on the batch and the processor; a level of 8 bits is 8e-3


@pytest.fixture
def video():
    return np.random.default_rng(5).integers(0, 256, (9, 40, 40, 3), dtype=np.uint8)


def collect(chunks):
    return torch.cat(list(chunks), dim=1)


def test_a_code_file_drives_like_its_video(animator, images, video, tmp_path):
    path = tmp_path / 'code ü.npz'
    VideoAnimator(animator).driving_codes(video, chunk_size=4).save(path)
    with np.load(path, allow_pickle=False) as archive:  # the format
        assert archive['motion_codes'].shape == (9, 4) and archive['motion_codes'].dtype == np.float32
        assert archive['fps'].tolist() == [25, 1] and str(archive['animator']) == animator.weights_hash()
    leo = LEO(animator)
    stream = leo.animate(images, path)
    assert (stream.num_frames, stream.fps) == (9, 25)
    assert torch.allclose(collect(stream), collect(leo.animate(images, video)), atol=TOLERANCE)


def test_rates_are_stored_exactly_and_resampling_keeps_the_time(tmp_path):
    codes = DrivingCodes(torch.arange(10.0)[:, None], 29.97002997, CodeOrigin('codes', None))
    codes.save(tmp_path / 'a.npz')
    with np.load(tmp_path / 'a.npz') as archive:
        assert archive['fps'].tolist() == [30000, 1001]
    read = DrivingCodes.load(tmp_path / 'a.npz')
    assert read.fps == 30000 / 1001 and torch.equal(read.codes, codes.codes)
    slow = DrivingCodes(codes.codes, 30, codes.origin).at_rate(10)
    # at 10 a second, frame k stands for the time until (k + 0.5) / 10: the newest of 30 a second is 3 k + 1
    assert slow.codes[:, 0].tolist() == [1, 4, 7] and slow.fps == 10
    assert read.at_rate(29.97) is read


def test_an_image_drives_by_its_pose(animator, images, video, tmp_path):
    Image.fromarray(video[3]).save(tmp_path / 'smile.png')
    leo = LEO(animator)
    expected = collect(leo.animate(images, video, mode='absolute'))[:, 3]
    for driver in (tmp_path / 'smile.png', str(tmp_path / 'smile.png'), Image.fromarray(video[3])):
        stream = leo.animate(images, driver)
        assert stream.num_frames == 1
        assert torch.allclose(collect(stream)[:, 0], expected, atol=TOLERANCE)


def test_options_of_the_transfer_reach_it(animator, images, video):
    leo = LEO(animator)
    still = collect(leo.animate(images, video, motion_scale=0.0))
    assert float((still - still[:, :1]).abs().max()) < TOLERANCE
    partial = collect(leo.animate(images, video, regions={0: 1.0}))
    assert float((partial - collect(leo.animate(images, video))).abs().max()) > 0.01
    with pytest.raises(TypeError):
        leo.animate(images, video, smoothness=3)


def test_an_endless_camera_is_not_read_ahead(animator, images, video):
    def camera():
        while True:
            yield video[0]
    chunk = next(LEO(animator).animate(images, camera()))
    assert chunk.shape[0] == 2 and torch.isfinite(chunk).all()


def test_codes_of_another_animator_are_refused(animator, images, video, tmp_path):
    VideoAnimator(make_animator(seed=7)).driving_codes(video).save(tmp_path / 'other.npz')
    with pytest.raises(UserError, match='other.npz and the animator belong to different animators'):
        LEO(animator).animate(images, tmp_path / 'other.npz')


@pytest.mark.parametrize('content', [
    b'', b'PK\x03\x04 broken', dict(motion_codes=np.zeros((3, 4, 5)), fps=np.array([25, 1]), animator=np.array('')),
    dict(motion_codes=np.full((3, 4), np.nan), fps=np.array([25, 1]), animator=np.array('')),
    dict(motion_codes=np.zeros((3, 4)), fps=np.array([25, 0]), animator=np.array('')),
    dict(motion_codes=np.zeros((3, 4)), animator=np.array('')),
    dict(motion_codes=np.array([object()]), fps=np.array([25, 1]), animator=np.array(''))])
def test_files_that_hold_no_codes_are_refused(tmp_path, content):
    path = tmp_path / 'bad.npz'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(UserError, match='bad.npz is no file of motion codes'):
        DrivingCodes.load(path)
    assert is_code_file(path) == (not isinstance(content, bytes))


def test_codes_that_are_not_finite_are_counted(tmp_path):
    codes = np.zeros((3, 4), np.float32)
    codes[1, 2], codes[2, 0] = np.nan, -np.inf
    np.savez(tmp_path / 'bad.npz', motion_codes=codes, fps=np.array([25, 1]), animator=np.array(''))
    with pytest.raises(UserError, match='2 of its 12 numbers are NaN or infinite'):
        DrivingCodes.load(tmp_path / 'bad.npz')


def test_paths(tmp_path):
    with pytest.raises(UserError, match='missing.npz does not exist'):
        DrivingCodes.load(tmp_path / 'missing.npz')
    codes = DrivingCodes(torch.zeros(2, 3), 25, CodeOrigin('codes', None))
    with pytest.raises(UserError, match='must end in .npz'):
        codes.save(tmp_path / 'codes.npy')
    with pytest.raises(UserError, match='holds no code'):
        DrivingCodes(torch.zeros(0, 3), 25, CodeOrigin('codes', None))
    np.savez(tmp_path / 'frames.npz', np.zeros((2, 8, 8, 3), np.uint8))
    assert not is_code_file(tmp_path / 'frames.npz') and not is_code_file('missing.npz') and not is_code_file(3)
