"""Coherence of edits along the optical flow of the original."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.analysis import measure_edit_coherence
from leokit.image_editors import EditedFile, ImageEditor, Recolor
from leokit.inference import edit_video
from leokit.metrics import video_flow, warping_error
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from support.tiny_models import SIZE


@pytest.fixture
def video():
    return torch.randint(0, 256, (6, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


class Flicker(ImageEditor):
    """Adds another brightness every time, as a generative editor does."""

    def __init__(self):
        self.number = 0

    def edit(self, image):
        self.number += 1
        return np.clip(image.astype(int) + 25 * (self.number % 2), 0, 255).astype(np.uint8)


def test_coherence_of_an_edit_that_flickers(animator, video):
    steady = video[:1].expand(6, -1, -1, -1)  # nothing moves: the edit alone changes
    measured = measure_edit_coherence(animator, steady, Flicker())
    assert list(measured) == ['original', 'animated without the edit', 'edited by the first frame',
                              'edited frame by frame']
    assert measured['original'].video < 0.01 and math.isnan(measured['original'].edit)
    assert measured['edited by the first frame'].edit < 0.01 < 0.9 < measured['edited frame by frame'].edit


def test_coherence_is_that_of_the_videos(animator, video):
    measured = measure_edit_coherence(animator, video, Recolor(hue=90))
    frames, flow = (torch.cat(list(edit_video(animator, video, Recolor(hue=90))), dim=1)[0],
                    video_flow(from_uint8(video)))
    assert measured['edited by the first frame'].video == pytest.approx(warping_error(frames, flow), abs=0.05)
    assert measured['original'].video == pytest.approx(warping_error(from_uint8(video), flow))
    assert math.isnan(measure_edit_coherence(animator, video, Recolor())['edited by the first frame'].edit)


def test_an_edited_image_has_no_frame_by_frame(animator, video, tmp_path):
    Image.fromarray(255 - video[0].permute(1, 2, 0).numpy()).save(tmp_path / 'edited.png')
    for edit in (EditedFile(tmp_path / 'edited.png'), tmp_path / 'edited.png'):
        measured = measure_edit_coherence(animator, video, edit)
        assert 'edited frame by frame' not in measured and measured['edited by the first frame'].edit > 0


def test_one_frame_has_no_coherence(animator, video):
    with pytest.raises(UserError, match='one frame only'):
        measure_edit_coherence(animator, video[:1], Recolor())
