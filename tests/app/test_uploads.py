"""Uploaded files: what they are by their first bytes, and what is refused."""


import numpy as np
import pytest
from PIL import Image

from leokit.app import Limits
from leokit.app.uploads import open_video_upload, read_image_upload
from leokit.utils import UserError

LIMITS = Limits(max_upload_mb=1, max_pixels=5000, max_frames=7)


def test_an_image_is_read(tmp_path):
    pixels = np.arange(60 * 70 * 3, dtype=np.uint32).reshape(60, 70, 3).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'a face.png')
    assert (read_image_upload(tmp_path / 'a face.png', 'The image', LIMITS) == pixels).all()


def test_a_video_is_opened_without_its_path(clip, tmp_path):
    with open_video_upload(clip, 'The video', LIMITS) as video:
        assert (len(video), video.fps, video.path.name) == (7, 12.5, 'seven frames.mp4')
        assert np.abs(video.read([3])[0].astype(int) - 100).max() <= 3  # 20 * 3 + 40


@pytest.mark.parametrize('name, words', [
    ('text.png', 'text.png is not an image but text'), ('empty.png', 'text.png is not|empty.png is empty'),
    ('broken.png', 'broken.png'), ('archive.mp4', 'archive.mp4 is not an image but a zip archive')])
def test_wrong_images_are_named(wrong_files, name, words):
    with pytest.raises(UserError, match=words):
        read_image_upload(wrong_files[name], 'The image', LIMITS)


@pytest.mark.parametrize('name, words', [
    ('text.mp4', 'text.mp4 is not a video but text'), ('playlist.mp4', 'playlist.mp4 is not a video but text'),
    ('broken.mp4', 'broken.mp4 is not a readable video'), ('broken.png', 'broken.png is not a video but a PNG image')])
def test_wrong_videos_are_named(wrong_files, name, words):
    with pytest.raises(UserError, match=words):
        open_video_upload(wrong_files[name], 'The video', LIMITS)


def test_limits(tmp_path, clip):
    Image.fromarray(np.zeros((50, 101, 3), np.uint8)).save(tmp_path / 'large.png')  # 5050 pixels
    with pytest.raises(UserError, match='101x50 pixels'):
        read_image_upload(tmp_path / 'large.png', 'The image', LIMITS)
    (tmp_path / 'heavy.png').write_bytes((tmp_path / 'large.png').read_bytes() + bytes(1_000_000))
    with pytest.raises(UserError, match='takes 1 MB'):
        read_image_upload(tmp_path / 'heavy.png', 'The image', LIMITS)
    with pytest.raises(UserError, match='has 7 frames, and the page takes 6'):
        open_video_upload(clip, 'The video', Limits(max_frames=6))
    with pytest.raises(UserError, match='The image is missing; upload'):
        read_image_upload(None, 'The image', LIMITS)
    with pytest.raises(UserError, match='gone.png has been deleted from the server'):
        read_image_upload(tmp_path / 'gone.png', 'The image', LIMITS)
