"""Batches of a dataset on the device are those of the data loader."""

from functools import partial
from itertools import islice

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from leokit.datasets import DeterministicSampler
from leokit.datasets.resident_batches import ResidentBatches, resident_batches

LENGTH = 11


class Squares(Dataset):
    """Sample i is (i, i^2)."""

    num_bytes = 8 * LENGTH

    def __init__(self):
        self.moved_to, self.labeled = [], 0
        self.values = torch.arange(LENGTH)

    def __len__(self):
        return LENGTH

    def __getitem__(self, key):
        return dict(inputs=dict(x=torch.tensor([key.index, key.index ** 2])),
                    data_samples=dict(name=f'clip {key.index}'))

    def to(self, device):
        self.moved_to.append(str(device))

    def gather(self, indices):
        return dict(x=torch.stack([self.values[indices], self.values[indices] ** 2], 1))

    def labels(self, indices):
        self.labeled += len(indices)
        return [dict(name=f'clip {index}') for index in indices]


def loader_of(dataset, batch_size, start=0, collate=default_collate, rank=0, world_size=1, **options):
    sampler = DeterministicSampler(dataset, 3, rank=rank, world_size=world_size)
    sampler.start_at(start, batch_size)
    return DataLoader(dataset, batch_size, sampler=sampler, collate_fn=collate, **options)


@pytest.mark.parametrize('batch_size', [1, 4, 11, 25])  # 25: more than two epochs in one batch
@pytest.mark.parametrize('start', [0, 2, 7])
@pytest.mark.parametrize('rank, world_size', [(0, 1), (1, 3)])
def test_the_batches_are_those_of_the_loader(batch_size, start, rank, world_size):
    loader = loader_of(Squares(), batch_size, start, rank=rank, world_size=world_size)
    resident = ResidentBatches(loader.dataset, loader.sampler, batch_size, 'cpu')
    for theirs, ours in islice(zip(loader, resident), 12):
        assert torch.equal(ours['inputs']['x'], theirs['inputs']['x'])
        assert ours['data_samples']['name'] == theirs['data_samples']['name']


def test_names_are_made_only_when_they_are_read():
    dataset = Squares()
    loader = loader_of(dataset, 4)
    batch = next(ResidentBatches(dataset, loader.sampler, 4, 'cpu'))
    moved = batch['data_samples'].to('cpu')
    assert dataset.labeled == 0
    assert dict(moved) == dict(name=[f'clip {index}' for index in DeterministicSampler(dataset, 3).order(0)[:4]])


def test_the_dataset_moves_to_the_device():
    dataset = Squares()
    resident_batches(loader_of(dataset, 4, collate=partial(default_collate)), torch.device('cpu'))
    assert dataset.moved_to == ['cpu']


@pytest.mark.parametrize('change', ['workers', 'collate', 'dataset'])
def test_other_loaders_stay(change):
    dataset = range(LENGTH) if change == 'dataset' else Squares()
    options = dict(workers=dict(num_workers=1), collate=dict(collate=lambda items: items), dataset={})[change]
    assert resident_batches(loader_of(dataset, 4, **options), torch.device('cpu')) is None
