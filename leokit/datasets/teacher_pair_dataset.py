"""Pairs of noise and the sequence that a trained model makes of it, for reflow (arXiv 2209.03003, section 2.2)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from leokit.datasets.deterministic_sampler import SampleKey
from leokit.datasets.motion_code_dataset import MotionCodeDataset
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.utils.modules import device_of
from leokit.utils.seeds import sample_seeds

TEACHER_KEYS = ('config', 'checkpoint')


@DATASETS.register_module()
class TeacherPairDataset(Dataset):
    """Sequences sampled by a teacher from the first codes of real windows, each with its noise.

    All pairs are sampled in big batches when the first one is asked for. They are a function of the seed, so a resumed
    training has the same ones. Items: ``inputs`` ``motion``, raw codes (T, N), and ``noise``, the noise that the
    teacher started from (T', N), both float32; ``data_samples`` ``name`` and ``start`` of the window.

    Args:
        codes_dir (str | Path): A code cache: its windows give the first codes, and the statistics.
        num_frames (int): Length T of the sequences.
        teacher (Mapping): ``config`` and ``checkpoint`` of a trained motion diffusion.
        num_pairs (int): Number of pairs; windows are repeated with other noise if there are fewer.
        sampler (dict, optional): Config in SAMPLERS; the teacher's by default.
        chunk_size (int): Sequences sampled at a time.
        seed (int): Seed of the noise and of the choice of windows.
        device (str, optional): Device of the teacher and of the pairs. Default: a GPU if there is one.
        **windows: Further arguments of :class:`MotionCodeDataset`, such as ``filters``.
    """

    def __init__(self, codes_dir: str | Path, num_frames: int, *, teacher: Mapping[str, Any], num_pairs: int = 65_536,
                 sampler: dict[str, Any] | None = None, chunk_size: int = 4096, seed: int = 0,
                 device: str | None = None, **windows: Any) -> None:
        if set(teacher) - set(TEACHER_KEYS) or not teacher.get('checkpoint'):
            raise UserError('teacher of the dataset must be dict(config=..., checkpoint=...), a trained motion '
                            f'diffusion; got {dict(teacher)}')
        if num_pairs < 1 or chunk_size < 1:
            raise UserError(f'num_pairs and chunk_size must be at least 1, got {num_pairs} and {chunk_size}')
        self.windows = MotionCodeDataset(codes_dir, num_frames, **windows)
        self.teacher = dict(teacher)
        self.num_pairs = num_pairs
        self.sampler = sampler
        self.chunk_size = chunk_size
        self.seed = seed
        self.device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        self.metainfo = dict(self.windows.metainfo, dataset=type(self).__name__)
        self._pairs: tuple[Tensor, Tensor] | None = None
        # all windows about equally often, in random order
        repeats, random = -(-num_pairs // len(self.windows)), np.random.default_rng(seed)
        self._chosen = np.concatenate([random.permutation(len(self.windows)) for _ in range(repeats)])[:num_pairs]

    @property
    def motion_dim(self) -> int:
        """Dimension N of the codes."""
        return self.windows.motion_dim

    @property
    def animator_hash(self) -> str:
        """``weights_hash`` of the animator of the codes."""
        return self.windows.animator_hash

    @property
    def fps(self) -> float | None:
        """Frame rate of the windows; None if unknown."""
        return self.windows.fps

    @property
    def videos(self) -> list:
        """The videos whose first codes are used."""
        return self.windows.videos

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of the real codes; see :meth:`MotionCodeDataset.statistics`."""
        return self.windows.statistics()

    def pairs(self) -> tuple[Tensor, Tensor]:
        """All sequences (P, T, N) and their noise (P, T', N); sampled at the first call."""
        if self._pairs is None:
            self._pairs = self._sample()
        return self._pairs

    @torch.no_grad()
    def _sample(self) -> tuple[Tensor, Tensor]:
        from leokit.inference import load  # builds on the datasets
        from leokit.models import MotionDiffusion
        config, checkpoint = (self.teacher.get(key) for key in TEACHER_KEYS)
        model = load(*((config, checkpoint) if config else (checkpoint,)), device=self.device,
                     expect=MotionDiffusion)
        frames = self.windows.num_frames
        # on the CPU, so that the noise is the same for every device
        generator = torch.Generator().manual_seed(sample_seeds(self.seed, [0])[0])
        noise = torch.randn(self.num_pairs, model.motion_condition.noised_frames(frames), self.motion_dim,
                            generator=generator).to(device_of(model))
        windows = torch.from_numpy(self._chosen).split(self.chunk_size)
        starts = torch.cat([self.windows.gather(part)['motion'][:, 0] for part in windows]).to(noise.device)
        motion = torch.cat([model.sample(start, frames, noise=part, sampler=self.sampler) for start, part in zip(
            starts.split(self.chunk_size), noise.split(self.chunk_size))])
        return motion, noise

    def __len__(self) -> int:
        return self.num_pairs

    # ---- as a resident dataset (leokit.datasets.resident_batches) ------------
    @property
    def num_bytes(self) -> int:
        """Memory of the pairs."""
        return 4 * self.num_pairs * self.motion_dim * (2 * self.windows.num_frames)

    def to(self, device: torch.device | str) -> None:
        """Move the pairs to a device, where they are also sampled."""
        self.device = str(device)
        if self._pairs is not None:
            self._pairs = tuple(part.to(device) for part in self._pairs)

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """The ``inputs`` of the pairs with these indices, shape (B,)."""
        motion, noise = self.pairs()
        return dict(motion=motion[indices], noise=noise[indices])

    def labels(self, indices: np.ndarray) -> list[dict[str, Any]]:
        """``name`` and ``start`` of the windows that the pairs with these indices start from."""
        return self.windows.labels(self._chosen[indices])

    # ---- items ---------------------------------------------------------------
    def __getitem__(self, index: int | SampleKey) -> dict[str, dict[str, Any]]:
        """Load one item."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int | SampleKey]) -> list[dict[str, dict[str, Any]]]:
        """Load the items of a batch at once, as views into gathered tensors."""
        numbers = np.array([index.index if isinstance(index, SampleKey) else index for index in indices], np.int64)
        inputs = self.gather(torch.from_numpy(numbers).to(self.pairs()[0].device))
        return [dict(inputs=dict(zip(inputs, row)), data_samples=label)
                for *row, label in zip(*inputs.values(), self.labels(numbers))]
