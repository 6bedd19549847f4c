"""What the diffusion models *of* motion codes share, beyond what every model that knows codes does."""

from abc import abstractmethod
from typing import Any

from torch import Generator, Tensor

from leokit.models.coded_model import CodedModel
from leokit.models.diffusion_core import DiffusionCore
from leokit.samplers import generators_from_seeds
from leokit.utils.hashing import stable_number

STATISTICS = ('mean', 'std', 'residual_std')


class CodeDiffusion(CodedModel):
    """Base of the diffusion models over motion codes.

    Args:
        motion_dim (int): Motion dimension N; passed down to the backbone.
        backbone (dict): Config in DIFFUSION_BACKBONES.
        core (DiffusionCore): Noise scheduler, sampler and objective.
        data_preprocessor (dict, optional): Config in MODELS; by default batches are moved to the model's device.
    """

    residual_std: Tensor

    def __init__(self, motion_dim: int, backbone: dict[str, Any], *, core: DiffusionCore,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(motion_dim, {**backbone, 'motion_dim': motion_dim}, core=core, statistics=STATISTICS,
                         data_preprocessor=data_preprocessor)

    def set_statistics(self, mean: Any, std: Any, residual_std: Any = None, *,
                       animator_hash: str | None = None) -> None:
        """Set the statistics of the codes to train on, and whose codes they are.

        Args:
            mean (Tensor | ndarray): Mean of the codes, shape (N,).
            std (Tensor | ndarray): Their standard deviation, shape (N,).
            residual_std (Tensor | ndarray, optional): Root mean square of ``alpha_i - alpha_1`` within a training
                sequence, i >= 2, shape (N,); ``std`` by default.
            animator_hash (str, optional): The animator's ``weights_hash()``, 64 hexadecimal digits.

        Raises:
            UserError: If a statistic has another shape, is not finite or is negative, if no dimension varies, or
                if the model already belongs to another animator.
        """
        residual_std = std if residual_std is None else residual_std
        self._set_statistics(dict(mean=mean, std=std, residual_std=residual_std), animator_hash)

    @abstractmethod
    def unit(self) -> Tensor:
        """The unit of the normalized codes, not yet guarded against zeros, shape (N,)."""

    def denormalize(self, motion: Tensor) -> Tensor:
        """Normalized codes (..., N) to raw ones: the inverse of :meth:`normalize`."""
        self._require_statistics()
        return motion * self._guarded_unit() + self.mean

    def loss(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None, *,
             generator: Generator | None = None) -> dict[str, Tensor]:
        """The denoising loss, for times and noise drawn afresh.

        Args:
            inputs (dict): ``motion``, raw codes; the shape is the model's affair.
            data_samples (dict, optional): Not used.
            generator (Generator, optional): Source of times and noise; torch's global one by default. With a
                generator nothing is compiled.

        Returns:
            dict: ``loss_diffusion``, a scalar.

        Raises:
            UserError: If the statistics are not set or the codes do not fit.
        """
        if generator is None and self._compiled_objective is not None:
            return dict(loss_diffusion=self._compiled_objective(inputs['motion']))
        return dict(loss_diffusion=self._objective(inputs['motion'], generator))

    @abstractmethod
    def _objective(self, motion: Tensor, generator: Generator | None = None) -> Tensor:
        """The denoising loss of raw codes, a scalar."""


def evaluation_generators(data_samples: dict[str, Any] | None, count: int) -> list[Generator] | None:
    """One generator per evaluated sample, seeded by its name and start, so that its batch does not matter.

    Args:
        data_samples (dict, optional): Collated, with ``name`` (list of str) and maybe ``start`` (numbers).
        count (int): Batch size.

    Returns:
        list | None: Generators; None, that is torch's global generator, if the samples have no names.
    """
    if not data_samples or 'name' not in data_samples:
        return None
    starts = data_samples.get('start', [0] * count)
    return generators_from_seeds([stable_number(name, int(start))
                                  for name, start in zip(data_samples['name'], starts)])


def one_dict_per_sample(data_samples: dict[str, Any] | None, **columns: Tensor) -> list[dict[str, Any]]:
    """Cut batches into one dict per sample, with name and start where they are known.

    Args:
        data_samples (dict, optional): Collated names and numbers.
        **columns (Tensor): Batches of equal length, shape (B, ...).

    Returns:
        list: B dicts.
    """
    labels = {key: data_samples[key] for key in ('name', 'start') if data_samples and key in data_samples}
    rows = zip(*labels.values(), *columns.values())
    return [dict(zip([*labels, *columns], row)) for row in rows]
