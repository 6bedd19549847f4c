"""Everything from one place gives what its parts give."""

import json

import pytest
import torch
from mmengine.config import Config

import leokit
from leokit.image_editors import Recolor
from leokit.inference import LEO, VideoAnimator, VideoGenerator
from leokit.utils import UserError
from leokit.video.readers import AutoReader
from leokit.visualization import save_png
from support.tiny_models import SIZE
from support.tiny_runs import write_models


@pytest.fixture(scope='module')
def leo(tmp_path_factory):
    folder = tmp_path_factory.mktemp('models')
    paths = write_models(folder)
    (folder / 'directions.json').write_text(json.dumps(dict(turn=1)))
    return leokit.load(Config(dict(
        animator=dict(config=paths['animator_config'], checkpoint=paths['animator']),
        motion_diffusion=dict(config=paths['motion_config'], checkpoint=paths['motion']))))


@pytest.fixture
def video():
    return torch.randint(0, 256, (4, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def collect(chunks):
    return torch.cat(list(chunks), dim=1)


def test_methods_equal_those_of_the_parts(leo, images, video, animator, motion_diffusion):
    generator = VideoGenerator(animator, motion_diffusion)
    options = dict(num_sequences=2, seed=3)
    pairs = [
        (leo.from_image(images, 7, **options), generator.generate(images, 7, **options)),
        (leo.continue_video(video, 6, **options), generator.continue_video(video, 6, **options)),
        (leo.animate(images, video, start_frame='first'), VideoAnimator(animator).animate(images, video))]
    for left, right in pairs:
        assert torch.equal(collect(left), collect(right))


def test_continuing_omits_the_given_frame(leo, video):
    following = collect(leo.generator.generate(video[-1], 7, seed=3))
    for chunk_size in (1, 32):
        frames = collect(leo.generator.continue_video(video, 6, seed=3, chunk_size=chunk_size))
        assert frames.shape == (1, 6, 3, SIZE, SIZE)
        torch.testing.assert_close(frames, following[:, 1:], atol=2e-4, rtol=0)


def test_editing_and_manipulation(leo, video):
    assert collect(leo.edit(video, Recolor(hue=60))).shape == (1, 4, 3, SIZE, SIZE)
    image = leo.manipulate_image(video[0], dict(turn=1.0))
    assert torch.equal(image, leo.manipulate_image(video[0], {1: 1.0}))
    manipulated = collect(leo.manipulate_video(video, dict(turn=1.0)))
    torch.testing.assert_close(manipulated[0, 0], image, atol=1e-4, rtol=0)


def test_an_edited_first_frame(leo, video, tmp_path):
    edited = video[0].flip(0)
    expected = collect(leo.animate(edited, video, start_frame='first'))
    assert torch.equal(collect(leo.edit(video, edited)), expected)
    save_png(tmp_path / 'edited.png', edited.permute(1, 2, 0).numpy())
    assert torch.equal(collect(leo.edit(video, tmp_path / 'edited.png')), expected)


def test_streams_have_length_and_resolution(leo, images, video):
    for stream, frames in ((leo.from_image(images, 7), 7), (leo.continue_video(video, 3), 3),
                           (leo.animate(images, video), 4), (leo.manipulate_video(video, {0: 1.0}), 4)):
        assert (stream.num_frames, stream.size) == (frames, SIZE)
        assert collect(stream).shape[1] == frames


def test_disk_space_is_checked_before_writing(leo, images, tmp_path):
    with pytest.raises(UserError, match='long.gif of 1000000000000 frames with 32x32 pixels need about'):
        leo.save(leo.from_image(images[0], 10**12), tmp_path / 'long.gif')
    assert not list(tmp_path.iterdir())


def test_saving(leo, images, tmp_path):
    leo.save(leo.from_image(images, 3), [tmp_path / 'a.mp4', tmp_path / 'b.mp4'])
    leo.save(leo.from_image(images[0], 3), tmp_path / 'c.gif')
    for name in ('a.mp4', 'b.mp4', 'c.gif'):
        with AutoReader().open(tmp_path / name) as written:
            assert len(written) == 3


def test_without_a_motion_diffusion(animator, images):
    with pytest.raises(UserError, match='needs a motion diffusion'):
        LEO(animator).from_image(images, 3)


@pytest.fixture
def driving(clips, tmp_path):
    return clips.write(tmp_path / 'driving.mp4', clips.frames(30, 64, 96), rate=60)


def test_outputs_last_as_long_as_the_driving_video(leo, images, driving, tmp_path):
    calls = dict(animate=lambda: leo.animate(images[0], driving), edit=lambda: leo.edit(driving, Recolor(hue=60)),
                 manipulate=lambda: leo.manipulate_video(driving, {0: 1.0}))
    for name, call in calls.items():
        leo.save(call(), tmp_path / f'{name}.mp4')
        leo.save(call(), tmp_path / f'{name}_25.mp4', fps=25)
        with AutoReader().open(tmp_path / f'{name}.mp4') as video:
            assert (len(video), video.fps) == (30, 60)  # 0.5 s
        with AutoReader().open(tmp_path / f'{name}_25.mp4') as video:
            assert (len(video), video.fps) == (13, 25)  # 0.5 s are 12.5 frames


def test_driving_by_a_camera(leo, images, video):
    frames = [frame.permute(1, 2, 0).numpy() for frame in video]
    stream = leo.animate(images[0], (frame for frame in frames))
    assert stream.num_frames is None
    # codes of other batches differ by rounding
    torch.testing.assert_close(collect(stream), collect(leo.animate(images[0], video)), atol=1e-4, rtol=0)
    assert torch.equal(collect(leo.edit(iter(frames), Recolor(hue=60))), collect(leo.edit(video, Recolor(hue=60))))


def test_generation_runs_at_the_rate_of_the_codes(leo, images, video, tmp_path, monkeypatch):
    assert leo.from_image(images, 3).fps is None  # codes of unknown rate
    monkeypatch.setattr(leo.generator.motion_diffusion.normalizer, 'frame_rate', torch.tensor([30000, 1001]))
    for stream in (leo.from_image(images[0], 6), leo.continue_video(video, 6)):
        assert stream.fps == 30000 / 1001
    leo.save(leo.from_image(images[0], 6), tmp_path / 'a.mp4', fps=15)
    with AutoReader().open(tmp_path / 'a.mp4') as written:
        assert (len(written), written.fps) == (3, 15)
