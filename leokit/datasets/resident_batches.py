"""Training batches of a dataset that is on the device: a batch is one gather there, with no data loader in between.

The samples are those of the data loader with :class:`DeterministicSampler`: the order of an epoch is copied to the
device once, and a batch is a slice of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.datasets.deterministic_sampler import DeterministicSampler

MAX_SHARE = 0.25  # of the free memory of a GPU that codes may take


class ResidentDataset(Protocol):
    """A dataset whose tensors can be on a device."""

    num_bytes: int

    def to(self, device: torch.device | str) -> None:
        """Move the tensors."""

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """The ``inputs`` of the samples with these indices, int64, shape (B,), on the device."""

    def labels(self, indices: np.ndarray) -> list[dict[str, Any]]:
        """The ``data_samples`` of the samples with these indices, one dict each."""


class BatchLabels(Mapping):
    """The collated ``data_samples`` of a batch, made when they are read: a training step does not need them."""

    def __init__(self, dataset: ResidentDataset, indices: np.ndarray) -> None:
        self._dataset = dataset
        self._indices = indices

    def to(self, *args: Any, **kwargs: Any) -> 'BatchLabels':
        """Itself: names and numbers do not move to a device."""
        return self

    def __getitem__(self, key: str) -> list:
        return [label[key] for label in self._dataset.labels(self._indices)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dataset.labels(self._indices[:1])[0])

    def __len__(self) -> int:
        return len(self._dataset.labels(self._indices[:1])[0])


class ResidentBatches:
    """An endless iterator of batches ``dict(inputs=..., data_samples=...)``.

    Args:
        dataset (ResidentDataset): The dataset; it is moved to the device.
        sampler (DeterministicSampler): The order of the samples, and where it starts.
        batch_size (int): Samples of a batch.
        device (torch.device | str): The device.
    """

    def __init__(self, dataset: ResidentDataset, sampler: DeterministicSampler, batch_size: int,
                 device: torch.device | str) -> None:
        dataset.to(device)
        self._dataset = dataset
        self._sampler = sampler
        self._batch_size = batch_size
        self._device = device
        self._number = sampler.first
        self._orders: dict[int, tuple[np.ndarray, Tensor]] = {}  # of the epochs of the newest batch

    def __iter__(self) -> 'ResidentBatches':
        return self

    def __next__(self) -> dict[str, Any]:
        size, step = self._sampler.size, self._sampler.world_size
        end = self._number + self._batch_size * step
        epochs = range(self._number // size, (end - step) // size + 1)
        self._orders = {epoch: self._orders.get(epoch) or self._order(epoch) for epoch in epochs}
        parts = []
        for epoch in epochs:
            # the first sample of this process in the epoch
            first = max(self._number, epoch * size + (self._number - epoch * size) % step)
            span = slice(first - epoch * size, min(end, (epoch + 1) * size) - epoch * size, step)
            parts.append(tuple(order[span] for order in self._orders[epoch]))
        self._number = end
        host, device = parts[0] if len(parts) == 1 else (np.concatenate([part[0] for part in parts]),
                                                         torch.cat([part[1] for part in parts]))
        return dict(inputs=self._dataset.gather(device), data_samples=BatchLabels(self._dataset, host))

    def _order(self, epoch: int) -> tuple[np.ndarray, Tensor]:
        order = self._sampler.order(epoch)
        return order, torch.from_numpy(order).to(self._device)


def resident_batches(loader: DataLoader, device: torch.device) -> ResidentBatches | None:
    """The batches of a data loader without the loader; None if its dataset cannot be on the device.

    Args:
        loader (DataLoader): Of a training; its sampler has been told where to start.
        device (torch.device): Device of the model.
    """
    dataset, collate = loader.dataset, loader.collate_fn
    plain = getattr(getattr(collate, 'func', collate), '__name__', None) == 'default_collate'
    if not (hasattr(dataset, 'gather') and isinstance(loader.sampler, DeterministicSampler) and plain
            and loader.num_workers == 0):
        return None
    if device.type == 'cuda' and dataset.num_bytes > MAX_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    return ResidentBatches(dataset, loader.sampler, loader.batch_size, device)
