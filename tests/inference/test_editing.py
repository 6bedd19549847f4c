"""An edit of the first frame is propagated through the whole video."""

import numpy as np
import pytest
import torch

from leokit.image_editors import ImageEditor, Recolor
from leokit.inference import VideoAnimator, edit_each_frame, edit_images, edit_video
from leokit.utils.pixels import from_uint8
from support.tiny_models import SIZE


class Double(ImageEditor):
    """Returns an image of twice the size."""

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


def test_editing_each_frame(video):
    frames = torch.cat(list(edit_each_frame(video, Recolor(saturation=0), SIZE, chunk_size=4)), dim=1)
    assert frames.shape == (1, 6, 3, SIZE, SIZE)
    assert torch.equal(frames[0, :, 0], frames[0, :, 1])
    gray = np.asarray(video.permute(0, 2, 3, 1)).max(-1)
    assert torch.equal(frames[0, :, 0], from_uint8(torch.from_numpy(gray)))


def test_results_of_another_size_are_resized(video):
    images = from_uint8(video[:2])
    torch.testing.assert_close(edit_images(Double(), images), images)
