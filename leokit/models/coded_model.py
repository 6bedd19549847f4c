"""What the diffusion models that know motion codes share: the codes' statistics, and whose codes they are.

Codes enter and leave raw; inside they are ``(alpha - mean) / unit``. Statistics and the hash of the
animator's weights are buffers, so a checkpoint knows what its numbers mean. Before they are set, a model
refuses to train and to sample.
"""

from abc import ABCMeta, abstractmethod
from typing import Any, Callable, Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor

from leokit.models.diffusion_core import DiffusionCore
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError
from leokit.utils.same_animator import CodeOrigin, check_same_animator, named_model

UNIT_FLOOR = 1e-3  # of the greatest unit: a dimension that never moves must not be divided by zero
HASH_BYTES = 32  # SHA-256


class CodedModel(BaseModel, metaclass=ABCMeta):
    """Base of the diffusion models that are trained on, or given, the motion codes of one animator.

    Args:
        motion_dim (int): Motion dimension N.
        backbone (dict): Config in DIFFUSION_BACKBONES, with what the model passes down.
        core (DiffusionCore): Noise scheduler, sampler and objective.
        statistics (Sequence[str]): Names of the statistics that the model keeps; ``mean`` and ``std`` among them.
        data_preprocessor (dict, optional): Config in MODELS; by default batches are moved to the model's device.
    """

    label = 'the model'  # in error messages
    mean: Tensor
    std: Tensor
    animator_hash: Tensor
    _objective: Callable[..., Tensor]  # the denoising loss of a batch, a scalar

    def __init__(self, motion_dim: int, backbone: dict[str, Any], *, core: DiffusionCore,
                 statistics: Sequence[str] = ('mean', 'std'), data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(data_preprocessor)
        self.motion_dim = motion_dim
        self.backbone = DIFFUSION_BACKBONES.build(backbone)
        self.diffusion = core
        for name in statistics:
            self.register_buffer(name, torch.full((motion_dim,), torch.nan))
        self.register_buffer('animator_hash', torch.zeros(HASH_BYTES, dtype=torch.uint8))
        self.statistics_set = False
        self._compiled_objective: Callable[..., Tensor] | None = None

    # ---- compilation -------------------------------------------------------
    def compile_parts(self, **options: Any) -> None:
        """Compile the training objective, and the backbone for sampling; state-dict keys stay as they are.

        Args:
            **options: Passed to ``torch.compile`` (``mode``, ``dynamic``, ...).
        """
        objective = torch.compile(self._objective, **options)
        # a CUDA graph's next replay writes over what this one returned
        self._compiled_objective = lambda *inputs: objective(*inputs).clone()
        self.backbone.compile(**options)

    def __getstate__(self) -> dict[str, Any]:
        # what is compiled belongs to this very object; a copy must not run it
        return {**super().__getstate__(), '_compiled_objective': None}

    # ---- statistics --------------------------------------------------------
    def _set_statistics(self, statistics: dict[str, Any], animator_hash: str | None) -> None:
        """Set the statistics by name, all or none of them, and whose codes they are.

        Args:
            statistics (dict): Tensors or arrays of shape (N,), by the names that the model keeps.
            animator_hash (str, optional): The animator's ``weights_hash()``, 64 hexadecimal digits.

        Raises:
            UserError: If a statistic has another shape, is not finite or is negative, if no dimension varies, or
                if the model already belongs to another animator.
        """
        values = {}
        for name, value in statistics.items():
            value = torch.as_tensor(value, dtype=torch.float32)
            if tuple(value.shape) != (self.motion_dim,):
                raise UserError(f'the codes\' {name} has shape {tuple(value.shape)}, but the model has '
                                f'motion_dim={self.motion_dim}; use the motion_dim of the animator that made the codes')
            if not bool(torch.isfinite(value).all()) or (name != 'mean' and (value.min() < 0 or value.max() == 0)):
                raise UserError(f'the codes\' {name} is not finite, is negative, or is zero in every dimension; '
                                'extract the motion codes again from videos that move')
            values[name] = value
        if animator_hash is not None:
            check_same_animator(self.code_origin, CodeOrigin('the training codes', animator_hash))
            values['animator_hash'] = torch.tensor(list(bytes.fromhex(animator_hash)), dtype=torch.uint8)
        for name, value in values.items():
            getattr(self, name).copy_(value)
        self.statistics_set = True

    @property
    def animator_weights_hash(self) -> str | None:
        """The ``weights_hash()`` of the animator whose codes this model knows; None if it was never told."""
        return bytes(self.animator_hash.tolist()).hex() if bool(self.animator_hash.any()) else None

    @property
    def code_origin(self) -> CodeOrigin:
        """Whose motion codes the model was trained on."""
        return CodeOrigin(named_model(self.label, self), self.animator_weights_hash, self.motion_dim)

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self.statistics_set = bool(torch.isfinite(self.std).all())

    def _require_statistics(self) -> None:
        # a plain attribute, not a look at the buffer: that would stop the device at every iteration
        if not self.statistics_set:
            raise UserError('the motion statistics of this model are not set; load a trained checkpoint, or train with '
                            'a data set of motion codes, which sets them')

    def unit(self) -> Tensor:
        """The unit of the normalized codes, not yet guarded against zeros, shape (N,); the codes' own deviation."""
        return self.std

    def _guarded_unit(self) -> Tensor:
        unit = self.unit()
        return unit.clamp_min(UNIT_FLOOR * unit.max())

    def normalize(self, motion: Tensor) -> Tensor:
        """Raw codes to normalized ones.

        Args:
            motion (Tensor): Raw codes, shape (..., N).

        Returns:
            Tensor: ``(alpha - mean) / unit``, float32, shape (..., N).

        Raises:
            UserError: If the statistics are not set or the codes have another dimension.
        """
        self._require_statistics()
        if motion.shape[-1] != self.motion_dim:
            raise UserError(f'the motion codes have {motion.shape[-1]} dimensions, but the model has '
                            f'motion_dim={self.motion_dim}; use the motion_dim of the animator that made the codes')
        return (motion.float() - self.mean) / self._guarded_unit()

    # ---- MMEngine's model contract -----------------------------------------
    def forward(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None,
                mode: str = 'tensor') -> Any:
        """MMEngine's entry.

        Args:
            inputs (dict): ``motion``, raw codes, and what else the model needs.
            data_samples (dict, optional): Collated names and numbers; they seed a prediction.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list | Tensor: Losses; one dict per sample; or the backbone's output.

        Raises:
            ValueError: If ``mode`` is unknown.
            UserError: If the statistics are not set or the codes do not fit.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs, data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    @abstractmethod
    def loss(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> dict[str, Tensor]:
        """The training losses by name."""

    @abstractmethod
    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """One dict per sample with what is ``real`` and what was ``generated``."""

    @abstractmethod
    def _forward(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> Tensor:
        """One pass through the backbone."""
