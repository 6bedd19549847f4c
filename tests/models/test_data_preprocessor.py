import pytest
import torch

from leokit.models import PixelPreprocessor
from leokit.registry import MODELS


def batch():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8, generator=generator)
    return dict(inputs=dict(source=pixels, driving=pixels.clone(), video=pixels[:, None].repeat(1, 2, 1, 1, 1),
                            motion=torch.rand(4, 5, 3, generator=generator)),
                data_samples=dict(name=list('abcd'), frames=torch.arange(8).view(4, 2)))


def test_bytes_become_pixels_and_other_inputs_pass():
    data = batch()
    out = MODELS.build(dict(type='PixelPreprocessor', _scope_='leokit'))(data, training=True)
    for key in ('source', 'driving', 'video'):
        assert out['inputs'][key].dtype == torch.float32
        torch.testing.assert_close(out['inputs'][key], data['inputs'][key] / 127.5 - 1)
    assert out['inputs']['source'].min() >= -1 and out['inputs']['source'].max() <= 1
    assert torch.equal(out['inputs']['motion'], data['inputs']['motion'])
    assert out['data_samples'] is data['data_samples']
    assert data['inputs']['source'].dtype == torch.uint8


def test_transforms_in_training_only():
    preprocessor = PixelPreprocessor([dict(type='PairedFlip', probability=1.0)])
    data = batch()
    plain = preprocessor(data)['inputs']
    flipped = preprocessor(data, training=True)['inputs']
    for key in ('source', 'driving', 'video'):
        assert torch.equal(flipped[key], plain[key].flip(-1))
    assert torch.equal(flipped['motion'], plain['motion'])


def test_transforms_follow_each_other_and_share_their_parameters():
    preprocessor = PixelPreprocessor(
        [dict(type='PairedColorJitter'), dict(type='PairedFlip'), dict(type='PairedAffine')])
    out = preprocessor(batch(), training=True)['inputs']
    assert torch.equal(out['source'], out['driving'])
    torch.testing.assert_close(out['video'][:, 1], out['source'])


def test_autocast_does_not_coarsen_pixels():
    preprocessor = PixelPreprocessor([dict(type='PairedColorJitter', probability=0.0)])
    with torch.autocast('cpu', torch.bfloat16):
        out = preprocessor(batch(), training=True)['inputs']['source']
    torch.testing.assert_close(out, batch()['inputs']['source'] / 127.5 - 1, atol=1e-6, rtol=0)


def test_channels_last():
    out = PixelPreprocessor(channels_last=True)(batch())['inputs']
    assert out['source'].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(out['source'], PixelPreprocessor()(batch())['inputs']['source'])


def test_it_adds_nothing_to_a_state_dict():
    assert PixelPreprocessor([dict(type='PairedColorJitter'), dict(type='PairedAffine')]).state_dict() == {}


def test_an_uncollated_batch_is_an_error():
    with pytest.raises(ValueError, match='default_collate'):
        PixelPreprocessor()(dict(inputs=[torch.zeros(3, 8, 8)]))
