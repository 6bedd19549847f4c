"""Properties of all batch transforms."""

import pytest
import torch

from leokit.datasets.transforms.base import uniform
from leokit.models import PixelPreprocessor
from leokit.nn.face_regions import boxes_to_maps, region_masks
from leokit.registry import TRANSFORMS

KINDS = ['PairedAffine', 'PairedColorJitter', 'PairedElastic', 'PairedFlip']


def build(kind, **options):
    if kind == 'PairedColorJitter':
        options = dict(gamma=0.5, light=0.5) | options
    return TRANSFORMS.build(dict(type=kind, _scope_='leokit', **options))


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('kind', KINDS)
def test_frames_of_a_sample_share_parameters_and_samples_differ(kind):
    image = images(8, 3, 16, 16)
    inputs = dict(source=image, driving=image.clone(), video=image[:, None].repeat(1, 5, 1, 1, 1))
    out = build(kind)(inputs, seeded())
    assert torch.equal(out['source'], out['driving'])
    for frame in range(5):
        torch.testing.assert_close(out['video'][:, frame], out['source'])
    same = build(kind)(dict(a=image[:1].repeat(8, 1, 1, 1)), seeded())['a']
    assert any(not torch.equal(same[0], other) for other in same)


@pytest.mark.parametrize('kind', KINDS)
def test_probability_zero_changes_nothing(kind):
    image = images(4, 3, 16, 16)
    torch.testing.assert_close(build(kind, probability=0)(dict(a=image), seeded())['a'], image, atol=1e-5, rtol=0)


@pytest.mark.parametrize('kind', KINDS)
def test_the_fraction_of_transformed_samples_is_the_probability(kind):
    image = images(1, 3, 8, 8).repeat(400, 1, 1, 1)
    out = build(kind, probability=0.3)(dict(a=image), seeded())['a']
    changed = (out - image).abs().amax(dim=(1, 2, 3)) > 1e-4
    assert 0.2 < changed.float().mean() < 0.4


@pytest.mark.parametrize('kind', KINDS)
def test_samples_do_not_depend_on_the_batch(kind):
    """With the same parameters, a sample is transformed alike alone and in a batch."""
    transform, image = build(kind), images(6, 3, 16, 16)
    parameters = transform.sample_parameters(torch.ones(6, dtype=torch.bool), seeded())
    together = transform.apply_to(image, parameters)
    for row in range(6):
        torch.testing.assert_close(transform.apply_to(image[row:row + 1], parameters[row:row + 1])[0], together[row])


@pytest.mark.parametrize('kind', KINDS)
def test_randomness_is_an_argument(kind):
    inputs = dict(a=images(8, 3, 8, 8))
    transform = build(kind)
    assert torch.equal(transform(inputs, seeded(3))['a'], transform(inputs, seeded(3))['a'])
    assert not torch.equal(transform(inputs, seeded(3))['a'], transform(inputs, seeded(4))['a'])
    torch.manual_seed(7)
    first = transform(inputs)['a']
    torch.manual_seed(7)
    assert torch.equal(transform(inputs)['a'], first)
    state = torch.get_rng_state()
    transform(inputs, seeded())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize('kind', KINDS)
def test_other_tensors_pass_unchanged(kind):
    inputs = dict(motion=torch.rand(4, 3, 20), name=['a'] * 4, flow=torch.rand(4, 2, 8, 8),
                  mask=torch.ones(4, 3, 8, 8) > 0)
    out = build(kind)(inputs)
    assert out is not inputs and all(out[key] is inputs[key] for key in inputs)
    image = images(4, 3, 8, 8)
    before = image.clone()
    build(kind)(dict(image=image, **inputs))
    assert torch.equal(image, before)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_types_and_layouts(kind, layout):
    image = images(4, 3, 8, 8).contiguous(memory_format=layout)
    out = build(kind)(dict(a=image, b=image.double()), seeded())
    assert out['a'].dtype == torch.float32 and out['b'].dtype == torch.float64
    torch.testing.assert_close(out['a'].double(), out['b'], atol=1e-4, rtol=0)


def test_invalid_arguments():
    with pytest.raises(ValueError, match='one batch size'):
        build('PairedFlip')(dict(a=images(2, 3, 8, 8), b=images(3, 3, 8, 8)))
    with pytest.raises(ValueError, match='probability'):
        build('PairedFlip', probability=1.5)


def test_uniform_takes_any_generator():
    numbers = uniform(-2, 3, (1000,), torch.device('cpu'), seeded())
    assert -2 <= numbers.min() < -1.8 and 2.8 < numbers.max() < 3


# ---- regions of faces ----------------------------------------------------------
def one_bright_box(size=64):
    """Eight black images with a bright box each, (8, 3, size, size), and the regions: the box, three not found."""
    picture, boxes = torch.zeros(8, 3, size, size), torch.full((8, 4, 4), torch.nan)
    for number in range(8):
        left, top = 18 + 2 * number, 30 - number
        picture[number, :, top:top + 8, left:left + 12] = 1.0
        boxes[number, 0] = torch.tensor([left, top, left + 12, top + 8]) / size
    return picture, boxes_to_maps(boxes)


@pytest.mark.parametrize('key', ['regions', 'source_regions'])
@pytest.mark.parametrize('kinds', [['PairedFlip'], ['PairedAffine'], ['PairedElastic'], ['PairedColorJitter'],
                                   ['PairedFlip', 'PairedAffine', 'PairedFlip', 'PairedAffine']])
def test_regions_move_with_the_pixels(kinds, key):
    """What is bright in the image is what is in the region, after any transforms."""
    picture, regions = one_bright_box()
    batch, generator = {'driving': picture, key: regions}, seeded(3)
    for kind in kinds:
        options = dict(PairedAffine=dict(rotation=25.0, scale=0.3, translation=0.1),
                       PairedColorJitter=dict(light=0.0)).get(kind, {})  # light changes the background unevenly
        batch = build(kind, **options)(batch, generator)
    moved = batch[key]
    assert moved[:, 1:].isnan().all() and moved[:, 0].isfinite().all()
    mask = region_masks(moved, 64, 64)[:, 0]
    for number in range(8):
        gray = batch['driving'][number].mean(0)
        middle = (gray.max() + gray[mask[number].logical_not()].median()) / 2  # colors change as well
        bright = gray > middle
        assert (bright & mask[number]).sum() > 0.85 * (bright | mask[number]).sum()
        assert bright.sum() > 40
    if kinds != ['PairedColorJitter']:
        assert not torch.allclose(moved[:, 0], regions[:, 0])
    else:
        assert torch.equal(moved[:, 0], regions[:, 0])


def test_regions_are_mirrored_where_the_image_is():
    picture, regions = one_bright_box()
    out = build('PairedFlip')(dict(driving=picture, regions=regions), seeded())
    flipped = ~(out['driving'] == picture).flatten(1).all(1)
    assert 0 < flipped.sum() < 8
    for number in range(8):
        center = regions[number, 0, :, 2]
        expected = center * torch.tensor([-1.0, 1.0]) if flipped[number] else center
        torch.testing.assert_close(out['regions'][number, 0, :, 2], expected)


def test_regions_without_images_are_passed_through():
    regions = one_bright_box()[1]
    assert torch.equal(build('PairedFlip')(dict(regions=regions))['regions'].nan_to_num(), regions.nan_to_num())


def test_the_preprocessor_carries_regions():
    picture, regions = one_bright_box()
    preprocessor = PixelPreprocessor([dict(type='PairedFlip', probability=1.0), dict(type='MotionView', transforms=[
        dict(type='PairedColorJitter')])], channels_last=True)
    data = dict(inputs=dict(driving=(picture * 255).byte(), regions=regions))
    expected = regions * torch.tensor([[-1.0], [1.0]])
    out = preprocessor(data, training=True)['inputs']
    torch.testing.assert_close(out['regions'], expected, equal_nan=True)
    assert torch.equal(preprocessor(data)['inputs']['regions'].nan_to_num(), regions.nan_to_num())
