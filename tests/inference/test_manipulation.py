"""Offsets along directions: named, summed, for images and videos."""

import json

import pytest
import torch

from leokit.inference import DirectionNames, VideoAnimator, manipulate_image, manipulate_video
from leokit.utils import UserError
from support.tiny_models import MOTION_DIM, SIZE

TOLERANCE = 1e-4  # sums run in another order in batches of another size


def test_directions_by_number_and_name():
    names = DirectionNames(MOTION_DIM, dict(turn=3, nod={'0': 0.5, '2': -1.0}))
    assert names.vector(1).tolist() == names.vector('1').tolist() == [0, 1, 0, 0]
    assert names.vector('turn').tolist() == [0, 0, 0, 1]
    assert names.vector('nod').tolist() == [0.5, 0, -1, 0]
    assert names.offset({'nod': 2.0, 0: 1.0, 'turn': -1.0}).tolist() == [2, 0, -2, -1]
    assert names.offset({}).tolist() == [0] * MOTION_DIM


@pytest.mark.parametrize('direction', ['smile', 4, -1, '1.5'])
def test_unknown_directions(direction):
    with pytest.raises(UserError, match='0 to 3 or turn'):
        DirectionNames(MOTION_DIM, dict(turn=3)).vector(direction)


@pytest.mark.parametrize('meaning', [9, 'left', {'9': 1.0}, {'0': 'much'}, None, [1]])
def test_invalid_names(meaning):
    with pytest.raises(UserError, match="the file: 'turn' must be a number"):
        DirectionNames(MOTION_DIM, dict(turn=meaning), source='the file')


def test_names_of_a_checkpoint(tmp_path):
    checkpoint = tmp_path / 'iter_5.pth'
    assert DirectionNames.of_checkpoint(checkpoint, MOTION_DIM).vector(0) is not None
    (tmp_path / 'directions.json').write_text(json.dumps(dict(turn=1)))
    for place in (checkpoint, tmp_path):
        assert DirectionNames.of_checkpoint(place, MOTION_DIM).vector('turn')[1] == 1
    (tmp_path / 'iter_5.directions.json').write_text(json.dumps(dict(turn=2)))
    assert DirectionNames.of_checkpoint(checkpoint, MOTION_DIM).vector('turn')[2] == 1
    for text in ('{', '[1]'):
        (tmp_path / 'iter_5.directions.json').write_text(text)
        with pytest.raises(UserError, match='iter_5.directions.json'):
            DirectionNames.of_checkpoint(checkpoint, MOTION_DIM)


def test_manipulated_images(animator, images):
    offsets = torch.tensor([[0.0] * MOTION_DIM, [0.0, 2.0, 0.0, -1.0]])
    frames = manipulate_image(animator, images[0], offsets)
    with torch.no_grad():
        encoding = animator.encode(images[:1])
        expected = torch.cat([animator.animate(encoding, encoding.motion + offset).frames for offset in offsets])
    assert frames.shape == (2, 3, SIZE, SIZE)
    torch.testing.assert_close(frames, expected.clamp(-1, 1), atol=TOLERANCE, rtol=0)
    assert (frames[0] - frames[1]).abs().max() > 0.01


def test_manipulated_videos(animator):
    video = torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4)) * 2 - 1
    offsets = torch.tensor([[0.0] * MOTION_DIM, [0.0, 2.0, 0.0, -1.0]])
    frames = torch.cat(list(manipulate_video(animator, video, offsets, chunk_size=4)), dim=1)
    assert frames.shape == (2, 5, 3, SIZE, SIZE)
    unmoved = torch.cat(list(VideoAnimator(animator).animate(video[0], video)), dim=1)
    torch.testing.assert_close(frames[:1], unmoved, atol=0.02, rtol=0)  # the source passes through bytes
    manipulated = manipulate_image(animator, (video[0] * 127.5 + 127.5).round() / 127.5 - 1, offsets)
    torch.testing.assert_close(frames[:, 0], manipulated, atol=TOLERANCE, rtol=0)


def test_shape_of_offsets(animator, images):
    with pytest.raises(ValueError, match='offsets'):
        manipulate_image(animator, images[0], torch.zeros(MOTION_DIM))
