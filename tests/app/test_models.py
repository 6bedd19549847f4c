"""What can be shown on the page, and how the commands name it."""

import pytest
from support.tiny_runs import write_leo, write_models

from leokit.app import load_models
from leokit.app.examples import draw_examples
from leokit.utils import UserError
from leokit.video import open_video, read_image


def test_leo_from_a_config(tmp_path):
    config = str(write_leo(tmp_path / 'leo'))
    models = load_models(config)
    assert models.animator_words == models.generator_words == (config,)
    assert models.leo.unconditional_generator is not None


def test_an_animator_from_config_and_checkpoint(tmp_path):
    paths = write_models(tmp_path)
    models = load_models(str(paths['animator_config']), str(paths['animator']))
    assert models.animator_words == (str(paths['animator_config']), str(paths['animator']))
    assert models.generator_words == () and models.name == 'animator.py animator.pth'


def test_a_motion_diffusion_brings_its_animator(tmp_path):
    paths = write_models(tmp_path)
    text = paths['motion_config'].read_text().replace(
        'animator = dict(config=None, checkpoint=None)',
        f"animator = dict(config='{paths['animator_config']}', checkpoint='{paths['animator']}')")
    paths['motion_config'].write_text(text)
    models = load_models(str(paths['motion_config']), str(paths['motion']))
    assert models.animator_words == (str(paths['animator_config']), str(paths['animator']))
    assert models.generator_words == (str(paths['motion_config']), str(paths['motion']))
    assert models.leo.generator.animator is models.leo.animator


def test_what_cannot_be_shown_is_named(tmp_path):
    paths = write_models(tmp_path)
    with pytest.raises(UserError, match='has no weights; pass its checkpoint or work dir too'):
        load_models(str(paths['animator_config']))
    with pytest.raises(UserError, match='does not name the animator of its motion codes; pass a config'):
        load_models(str(paths['motion_config']), str(paths['motion']))
    config = write_leo(tmp_path / 'leo').with_name('start_code.py')
    with pytest.raises(UserError, match='is a StartCodeDiffusion, with which alone the page can do nothing'):
        load_models(str(config), str(config.with_suffix('.pth')))


def test_examples_are_drawn_faces(tmp_path):
    drawn = draw_examples(tmp_path, size=32)
    first, second = map(read_image, drawn.portraits)
    assert first.shape == second.shape == (32, 32, 3) and (first != second).any()
    for path in drawn.clips:
        with open_video(path) as clip:
            frames = clip.read([0, 20, len(clip) - 1])
            assert (len(clip), clip.fps, clip.frame_bytes) == (48, 25.0, 3 * 32 * 32)
            assert (frames[0] != frames[1]).any() and (frames[1] != frames[2]).any()
