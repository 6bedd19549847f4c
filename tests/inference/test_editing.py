"""An edit of the first frame goes through the whole video."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.image_editors import EditedFile, ImageEditor, Recolor
from leokit.inference import VideoAnimator, edit_each_frame, edit_images, edit_video
from leokit.inference.editing import measure_edit
from leokit.metrics import video_flow, warping_error
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from support.tiny_models import SIZE


class Double(ImageEditor):
    """Gives back a picture of twice the size."""

    def edit(self, image):
        return image.repeat(2, axis=0).repeat(2, axis=1)


@pytest.fixture
def video():
    return torch.randint(0, 256, (6, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def test_edit_is_relative_transfer_to_the_edited_frame(animator, video):
    editor = Recolor(hue=90)
    frames = torch.cat(list(edit_video(animator, video, editor, chunk_size=4)), dim=1)
    edited = edit_images(editor, from_uint8(video[:1]))
    expected = torch.cat(list(VideoAnimator(animator).animate(edited, video, mode='relative')), dim=1)
    assert frames.shape == (1, 6, 3, SIZE, SIZE)
    torch.testing.assert_close(frames, expected, atol=1e-4, rtol=0)
    given = torch.cat(list(edit_video(animator, video, edited)), dim=1)
    torch.testing.assert_close(given, expected, atol=1e-4, rtol=0)
    unedited = torch.cat(list(edit_video(animator, video, Recolor())), dim=1)
    assert (frames - unedited).abs().max() > 0.01


def test_every_frame_by_itself(video):
    frames = torch.cat(list(edit_each_frame(video, Recolor(saturation=0), SIZE, chunk_size=4)), dim=1)
    assert frames.shape == (1, 6, 3, SIZE, SIZE)
    assert torch.equal(frames[0, :, 0], frames[0, :, 1])
    gray = np.asarray(video.permute(0, 2, 3, 1)).max(-1)
    assert torch.equal(frames[0, :, 0], from_uint8(torch.from_numpy(gray)))


def test_editor_of_another_size(video):
    images = from_uint8(video[:2])
    torch.testing.assert_close(edit_images(Double(), images), images)


class Flicker(ImageEditor):
    """Adds another brightness every time, as a generative editor would."""

    def __init__(self):
        self.number = 0

    def edit(self, image):
        self.number += 1
        return np.clip(image.astype(int) + 25 * (self.number % 2), 0, 255).astype(np.uint8)


def test_coherence_of_an_edit_that_flickers(animator, video):
    steady = video[:1].expand(6, -1, -1, -1)  # nothing moves, so all change is the edit's
    measured = measure_edit(animator, steady, Flicker())
    assert list(measured) == ['original', 'animated without the edit', 'edited by the first frame',
                              'edited frame by frame']
    assert measured['original'].video < 0.01 and math.isnan(measured['original'].edit)
    assert measured['edited by the first frame'].edit < 0.01 < 0.9 < measured['edited frame by frame'].edit


def test_coherence_is_that_of_the_videos(animator, video):
    measured = measure_edit(animator, video, Recolor(hue=90))
    frames, flow = (torch.cat(list(edit_video(animator, video, Recolor(hue=90))), dim=1)[0],
                    video_flow(from_uint8(video)))
    assert measured['edited by the first frame'].video == pytest.approx(warping_error(frames, flow), abs=0.05)
    assert measured['original'].video == pytest.approx(warping_error(from_uint8(video), flow))
    assert math.isnan(measure_edit(animator, video, Recolor())['edited by the first frame'].edit)


def test_an_edited_picture_has_no_frame_by_frame(animator, video, tmp_path):
    Image.fromarray(255 - video[0].permute(1, 2, 0).numpy()).save(tmp_path / 'edited.png')
    for edit in (EditedFile(tmp_path / 'edited.png'), tmp_path / 'edited.png'):
        measured = measure_edit(animator, video, edit)
        assert 'edited frame by frame' not in measured and measured['edited by the first frame'].edit > 0


def test_one_frame_has_no_coherence(animator, video):
    with pytest.raises(UserError, match='one frame only'):
        measure_edit(animator, video[:1], Recolor())
