"""The sample order of a training as a pure function of seed and iteration, so that a resumed run continues exactly."""

import math
from typing import Iterator, NamedTuple, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from leokit.registry import DATA_SAMPLERS
from leokit.utils import UserError


class SampleKey(NamedTuple):
    """Identifies one training sample.

    Attributes:
        index (int): Index into the dataset, from the permutation of the epoch.
        number (int): Position of the sample in the whole training, counted over all processes. All randomness of the
            sample is a function of this number and the dataset's seed.
    """

    index: int
    number: int

    def generator(self, seed: int, run_seed: int = 0) -> np.random.Generator:
        """Random generator of this sample in a dataset with the given seed, in a training with the given seed."""
        return np.random.default_rng((seed, self.number, run_seed))


@DATA_SAMPLERS.register_module()
class DeterministicSampler(Sampler[SampleKey]):
    """An endless stream of :class:`SampleKey`, reshuffled every epoch.

    Sample n has the index at position n mod len of the permutation of epoch n div len. In a distributed run of W
    processes, process r yields the samples r, r + W, r + 2W, ...: W processes with batch size B see the same samples
    in every iteration as one process with batch size W·B.

    Args:
        dataset (Sized): The dataset; passed by MMEngine. If it has an attribute ``run_seed``, it is set to the seed:
            its random choices then differ between trainings of different seeds.
        seed (int, optional): Seed of the permutations. None chooses one at random that all processes share; it differs
            between runs, so a resumed training then sees another order.
        shuffle (bool): False keeps the order of the dataset.
        rank (int, optional): Rank of this process. Default: that of the distributed run.
        world_size (int, optional): Number of processes. Default: that of the distributed run.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, *, shuffle: bool = True, rank: int | None = None,
                 world_size: int | None = None) -> None:
        if len(dataset) == 0:
            raise UserError('the dataset is empty; loosen its filters')
        own_rank, own_world_size = get_dist_info()
        self.size = len(dataset)
        self.seed = sync_random_seed() if seed is None else seed
        self.shuffle = shuffle
        self.rank = own_rank if rank is None else rank
        self.world_size = own_world_size if world_size is None else world_size
        self._first = self.rank
        if hasattr(dataset, 'run_seed'):
            dataset.run_seed = self.seed

    def start_at(self, iteration: int, batch_size: int) -> None:
        """Start the stream where a training resumes that has finished ``iteration`` iterations.

        Args:
            iteration (int): Finished iterations.
            batch_size (int): Samples per iteration and process.
        """
        self._first = iteration * batch_size * self.world_size + self.rank

    def __iter__(self) -> Iterator[SampleKey]:
        number, known_epoch, order = self._first, None, None
        while True:
            epoch, position = divmod(number, self.size)
            if epoch != known_epoch:
                order, known_epoch = self.order(epoch), epoch
            yield SampleKey(int(order[position]), number)
            number += self.world_size

    def __len__(self) -> int:
        """int: Samples of this process in one epoch, rounded up."""
        return math.ceil(self.size / self.world_size)

    @property
    def first(self) -> int:
        """int: Number of the sample at which the stream starts."""
        return self._first

    def order(self, epoch: int) -> np.ndarray:
        """The permutation of an epoch: indices into the dataset, int64, shape (size,)."""
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng((self.seed, epoch)).permutation(self.size)
