"""Which draw of a data set comes next, at any iteration, without having made the ones before."""

import math
from typing import Iterator, NamedTuple, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from leokit.registry import DATA_SAMPLERS
from leokit.utils import UserError


class Draw(NamedTuple):
    """One draw of a data set in training.

    Attributes:
        index (int): Place in the data set, from the permutation of the epoch.
        number (int): Which draw of the whole training this is, over all processes. Everything random about the
            sample is a function of it and the data set's seed.
    """

    index: int
    number: int

    def generator(self, seed: int) -> np.random.Generator:
        """The source of this draw's randomness in a data set of that seed."""
        return np.random.default_rng((seed, self.number))


@DATA_SAMPLERS.register_module()
class DeterministicSampler(Sampler[Draw]):
    """An endless stream of :class:`Draw`, reshuffled every epoch.

    The processes of a distributed run take turns: of W, process r makes the draws r, r + W, r + 2W, ... Draw n has the
    place n mod len in the permutation of epoch n div len. So W processes with batch B see, iteration by iteration,
    the same draws as one process with batch W·B.

    Args:
        dataset (Sized): What to draw from; MMEngine passes it.
        seed (int, optional): Seed of the permutations; None takes one that all processes agree on, different in every
            run, and then a resumed training is not the interrupted one continued.
        shuffle (bool): False keeps the order of the data set.
        rank (int, optional): This process; the distributed run's by default.
        world_size (int, optional): Number of processes; the distributed run's by default.

    Raises:
        UserError: If the data set is empty.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, *, shuffle: bool = True, rank: int | None = None,
                 world_size: int | None = None) -> None:
        if len(dataset) == 0:
            raise UserError('the data set is empty; loosen its filters')
        own_rank, own_world_size = get_dist_info()
        self.size = len(dataset)
        self.seed = sync_random_seed() if seed is None else seed
        self.shuffle = shuffle
        self.rank = own_rank if rank is None else rank
        self.world_size = own_world_size if world_size is None else world_size
        self._first = self.rank

    def start_at(self, iteration: int, batch_size: int) -> None:
        """Let the stream begin where a training that has done ``iteration`` iterations goes on.

        Args:
            iteration (int): Finished iterations.
            batch_size (int): Samples per iteration and process.
        """
        self._first = iteration * batch_size * self.world_size + self.rank

    def __iter__(self) -> Iterator[Draw]:
        number, known_epoch, order = self._first, None, None
        while True:
            epoch, place = divmod(number, self.size)
            if epoch != known_epoch:
                order, known_epoch = self._order(epoch), epoch
            yield Draw(int(order[place]), number)
            number += self.world_size

    def __len__(self) -> int:
        """int: Draws of this process in one epoch, rounded up."""
        return math.ceil(self.size / self.world_size)

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng((self.seed, epoch)).permutation(self.size)
