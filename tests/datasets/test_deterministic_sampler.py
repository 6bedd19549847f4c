from itertools import islice

import numpy as np
import pytest
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from leokit.datasets import DeterministicSampler, FramePairDataset, SampleKey
from leokit.registry import DATASETS
from leokit.utils import UserError


@DATASETS.register_module()
class KeysOfSamplerTest(Dataset):
    """Returns the key that it is indexed with."""

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        return dict(index=key.index, number=key.number)


def take(sampler, count):
    return list(islice(sampler, count))


def make(length=10, seed=0, **options):
    return DeterministicSampler(range(length), seed, **{'rank': 0, 'world_size': 1, **options})


def test_every_epoch_is_another_permutation():
    keys = take(make(), 40)
    epochs = [[key.index for key in keys[start:start + 10]] for start in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert [key.number for key in keys] == list(range(40))


def test_the_stream_is_a_function_of_the_seed():
    sampler = make()
    assert take(sampler, 25) == take(sampler, 25) == take(make(), 25)
    assert take(make(seed=1), 25) != take(make(), 25)


@pytest.mark.parametrize('iteration', [0, 1, 7, 100])
@pytest.mark.parametrize('world_size', [1, 3])
def test_a_resumed_stream_is_the_uninterrupted_one(iteration, world_size):
    batch = 4
    for rank in range(world_size):
        whole = take(make(rank=rank, world_size=world_size), (iteration + 10) * batch)
        sampler = make(rank=rank, world_size=world_size)
        sampler.start_at(iteration, batch)
        assert take(sampler, 10 * batch) == whole[iteration * batch:]


@pytest.mark.parametrize('world_size', [2, 3, 4])
def test_processes_share_the_samples_of_one(world_size):
    parts = [take(make(rank=rank, world_size=world_size), 30) for rank in range(world_size)]
    together = sorted((key for part in parts for key in part), key=lambda key: key.number)
    assert together == take(make(), 30 * world_size)


def test_order_without_shuffling():
    assert [key.index for key in take(make(length=3, shuffle=False), 7)] == [0, 1, 2, 0, 1, 2, 0]


def test_the_randomness_of_a_sample_depends_on_number_and_seed_only():
    numbers = [SampleKey(0, number).generator(seed).random() for seed in (0, 1) for number in (0, 1, 2)]
    assert len(set(numbers)) == 6
    assert SampleKey(5, 2).generator(1).random() == numbers[-1]


def test_length_and_empty_data_sets():
    assert len(make(length=10, world_size=4)) == 3
    with pytest.raises(UserError, match='empty'):
        make(length=0)
    assert isinstance(DeterministicSampler(range(3), None).seed, int)


@pytest.mark.parametrize('workers', [0, 2])
def test_in_a_data_loader_that_mmengine_builds(workers):
    config = dict(dataset=dict(type='KeysOfSamplerTest', length=10, _scope_='leokit'), batch_size=4,
                  num_workers=workers, sampler=dict(type='DeterministicSampler', _scope_='leokit'),
                  collate_fn=dict(type='default_collate'))
    loader = Runner.build_dataloader(config, seed=3)
    assert isinstance(loader, DataLoader)
    loader.sampler.start_at(5, 4)
    numbers = [batch['number'].tolist() for batch in islice(loader, 3)]
    assert numbers == [[20, 21, 22, 23], [24, 25, 26, 27], [28, 29, 30, 31]]
    batch = next(iter(loader))
    assert batch['index'].tolist() == [key.index for key in take(make(seed=3), 24)][20:]


def test_the_seed_of_a_run_changes_which_frames_are_sampled(video_folder):
    def frames(seed):
        dataset = FramePairDataset(video_folder, 16)
        keys = iter(DeterministicSampler(dataset, seed, shuffle=False, rank=0, world_size=1))
        return [dataset[next(keys)]['data_samples']['frames'].tolist() for _ in range(12)]

    assert frames(1) == frames(1) and len({str(frames(seed)) for seed in (0, 1, 2)}) == 3
    # a generator of (seed of the dataset, number of the sample): the numbers of run seed 0 in earlier versions
    assert SampleKey(4, 77).generator(5).random() == np.random.default_rng((5, 77)).random()
    assert SampleKey(4, 77).generator(5, 1).random() != np.random.default_rng((5, 77)).random()
