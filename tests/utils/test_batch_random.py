import pytest
import torch
import torch.nn.functional as F

from leokit.datasets.transforms.affine import PairedAffine
from leokit.datasets.transforms.color_jitter import PairedColorJitter
from leokit.datasets.transforms.elastic import PairedElastic
from leokit.datasets.transforms.flip import PairedFlip
from leokit.noise_schedulers import LinearNoiseScheduler
from leokit.samplers import noise_source
from leokit.time_samplers import LogNormalTimeSampler, UniformTimeSampler
from leokit.utils.batch_random import BatchDropout, batch_share, own_rows

WORLD, BATCH = 3, 4


def merged(generate):
    """What ``WORLD`` processes generate, in the order of the whole batch: process r has the rows r, r + W, ..."""
    parts = []
    for rank in range(WORLD):
        torch.manual_seed(11)
        with batch_share(rank, WORLD):
            parts.append(generate(slice(rank, None, WORLD)))
    return torch.stack(parts, dim=1).flatten(0, 1)


def single(generate):
    torch.manual_seed(11)
    return generate(slice(None))


def test_rows_are_those_of_one_generator():
    torch.manual_seed(11)
    expected = torch.rand(WORLD * BATCH)
    assert torch.equal(merged(lambda rows: own_rows(torch.rand, BATCH)), expected)
    assert torch.equal(single(lambda rows: own_rows(torch.rand, WORLD * BATCH)), expected)


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_noise_of_a_batch_does_not_depend_on_the_number_of_processes(layout):
    images = torch.zeros(WORLD * BATCH, 3, 8, 8)

    def noise(rows):
        return noise_source(None)(images[rows].contiguous(memory_format=layout))

    assert torch.equal(merged(noise), single(noise)) and single(noise).std() > 0.9
    torch.manual_seed(11)
    expected = torch.randn_like(images.contiguous(memory_format=layout))
    assert torch.equal(single(noise), expected)


@pytest.mark.parametrize('transform', [PairedFlip(), PairedAffine(30.0, 0.3), PairedElastic(0.03),
                                       PairedColorJitter(probability=0.5)])
def test_augmentation_does_not(transform):
    images = torch.rand(WORLD * BATCH, 3, 8, 8) * 2 - 1

    def augmented(rows):
        return transform(dict(driving=images[rows]))['driving']

    assert torch.equal(merged(augmented), single(augmented)) and not torch.equal(single(augmented), images)


@pytest.mark.parametrize('sampler', [UniformTimeSampler(), LogNormalTimeSampler()])
def test_times_do_not(sampler):
    scheduler = LinearNoiseScheduler(1000)

    def times(rows):
        count = len(range(WORLD * BATCH)[rows])
        return sampler.sample(count, scheduler, device=torch.device('cpu'))

    assert torch.equal(merged(times), single(times)) and len(single(times).unique()) > 6


def test_dropout_does_not_and_one_process_drops_as_torch_does():
    x, dropout = torch.randn(WORLD * BATCH, 5, 7), BatchDropout(0.4)
    assert torch.equal(merged(lambda rows: dropout(x[rows])), single(lambda rows: dropout(x)))
    torch.manual_seed(11)
    expected = F.dropout(x, 0.4)
    assert torch.equal(single(lambda rows: dropout(x)), expected)
    assert torch.equal(dropout.eval()(x), x)
