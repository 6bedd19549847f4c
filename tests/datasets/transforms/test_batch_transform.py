"""Properties of all batch transforms."""

import pytest
import torch

from leokit.datasets.transforms.base import uniform
from leokit.registry import TRANSFORMS

KINDS = ['PairedAffine', 'PairedColorJitter', 'PairedFlip']


def build(kind, **options):
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
