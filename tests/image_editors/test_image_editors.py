"""The effect of each editor inside its region, and nothing outside it."""

import numpy as np
import pytest
from PIL import Image

from leokit.image_editors import BlurRegion, EditedFile, PasteImage, Recolor, Region
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_region():
    region = Region((0.25, 0.5, 0.75, 1.0))
    mask = region.mask(8, 8)
    assert mask.shape == (8, 8, 1) and mask.sum() == 16 and mask[4:, 2:6].all()
    soft = Region((0.25, 0.5, 0.75, 1.0), feather=0.2).mask(64, 64)
    assert ((soft > 0.01) & (soft < 0.99)).any() and soft[-10:, 28:36].min() > 0.9 and soft[:16].max() < 0.1
    assert Region((0.5, 0.5, 0.501, 0.501)).mask(8, 8).sum() == 1  # never empty


@pytest.mark.parametrize('box', [0.5, (0, 0, 1), (0, 0, 'x', 1), (0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (0, 0.8, 1, 0.2)])
def test_invalid_boxes(box):
    with pytest.raises(UserError, match='box'):
        Region(box)


def test_recolor(image):
    assert np.array_equal(Recolor().edit(image), image)
    turned = Recolor(hue=120).edit(np.full((2, 2, 3), (255, 0, 0), np.uint8))
    assert turned[0, 0].tolist() == [0, 255, 0]
    gray = Recolor(saturation=0, box=(0, 0, 0.5, 1)).edit(image)
    assert (gray[:, :30].max(-1) == gray[:, :30].min(-1)).all() and np.array_equal(gray[:, 30:], image[:, 30:])
    assert Recolor(brightness=0).edit(image).max() == 0


def test_blur_region(image):
    blurred = BlurRegion((0, 0, 0.5, 1), strength=0.2, feather=0).edit(image)
    assert blurred[:, :30].std() < 0.4 * image[:, :30].std()
    assert np.array_equal(blurred[:, 30:], image[:, 30:])
    with pytest.raises(UserError, match='strength'):
        BlurRegion((0, 0, 1, 1), strength=0)


def test_paste_image(image, tmp_path):
    sticker = np.zeros((20, 30, 4), np.uint8)
    sticker[:, :15] = (200, 10, 10, 255)  # the other half is black and transparent
    Image.fromarray(sticker).save(tmp_path / 'sticker.png')
    before = image.copy()
    pasted = PasteImage(tmp_path / 'sticker.png', (0.5, 0.5, 1, 1)).edit(image)
    assert (pasted[20:, 30:45] == (200, 10, 10)).all()
    assert np.array_equal(pasted[20:, 45:], image[20:, 45:]) and np.array_equal(pasted[:20], image[:20])
    half = PasteImage(tmp_path / 'sticker.png', (0.5, 0.5, 1, 1), opacity=0.5).edit(image)
    np.testing.assert_allclose(half[20:, 30:45], (image[20:, 30:45] + np.array((200, 10, 10.0))) / 2, atol=1)
    assert np.array_equal(image, before)
    Image.fromarray(image[:20, :30]).save(tmp_path / 'plain.png')
    assert np.array_equal(PasteImage(tmp_path / 'plain.png', (0, 0, 0.5, 0.5)).edit(image)[:20, :30], image[:20, :30])


def test_edited_file(image, tmp_path):
    Image.fromarray(image[::2]).save(tmp_path / 'edited.png')
    assert np.array_equal(EditedFile(tmp_path / 'edited.png').edit(image), image[::2])
    assert Recolor().edits_any_image and not EditedFile(tmp_path / 'edited.png').edits_any_image
    with pytest.raises(UserError, match='missing.png'):
        EditedFile(tmp_path / 'missing.png')


@pytest.mark.parametrize('editor, sentence', [
    (lambda value: Recolor(hue=value), 'hue must be a finite number, got'),
    (lambda value: Recolor(saturation=value), 'saturation must be a finite number of at least 0, got'),
    (lambda value: Recolor(brightness=value), 'brightness must be a finite number of at least 0, got'),
    (lambda value: BlurRegion((0, 0, 1, 1), value), 'strength must be a finite number from 0 to 1, got'),
    (lambda value: BlurRegion((0, 0, 1, 1), feather=value), 'feather must be a finite number from 0 to 1, got'),
    (lambda value: PasteImage('none.png', (0, 0, 1, 1), opacity=value), 'opacity must be a finite number from 0 to 1')])
def test_amounts_are_finite_numbers_in_their_range(editor, sentence):
    for value in (float('nan'), float('inf'), 'x', None, *(() if 'hue' in sentence else (-0.1,))):
        with pytest.raises(UserError, match=sentence):
            editor(value)


def test_building(image):
    editor = IMAGE_EDITORS.build(dict(type='Recolor', hue=30))
    assert isinstance(editor, Recolor) and editor.hue == 30
    for config, message in ((dict(type='Paint'), 'EditedFile, PasteImage'), (dict(), "no 'type'"),
                            (dict(type='Recolor', color=1), 'color'),
                            (dict(type='Recolor', hue='red'), "hue must be a finite number, got 'red'"),
                            (dict(type='Recolor', hu=3), "no argument 'hu'; did you mean 'hue'"),
                            (dict(type='BlurRegion'), 'box'),
                            (dict(type='BlurRegion', box=(0, 0, 0, 0)), 'box')):
        with pytest.raises(UserError, match=message):
            IMAGE_EDITORS.build(config)
