"""Normalization of motion codes, and whose codes they are."""

from fractions import Fraction
from typing import Any, Callable

import torch
from torch import Tensor, nn

from leokit.utils import UserError
from leokit.utils.same_animator import CodeOrigin, check_same_animator
from leokit.video.frame_rate import exact_rate, is_same_rate

UNIT_FLOOR = 1e-3  # of the largest unit: a dimension that never varies must not be divided by zero
HASH_BYTES = 32  # SHA-256
STATE_PREFIX = 'normalizer.'


class CodeNormalizer(nn.Module):
    """Maps raw motion codes to ``(alpha - mean) / unit``, with one unit per motion dimension, and back.

    The statistics and the hash of the animator's weights are buffers, so a checkpoint says what its numbers mean. In a
    state dict they are at the top level: ``mean``, not ``normalizer.mean``, as :class:`DiffusionModel`, whose member
    ``normalizer`` this is, loads them. Before they are set, codes cannot be normalized.

    Args:
        motion_dim (int): Motion dimension N.
        residuals (bool): Keep ``residual_std`` as well.
        unit (Callable, optional): Maps ``std`` and ``residual_std``, shape (N,), to the unit, shape (N,). Default:
            None, the unit is ``std``.

    Attributes:
        mean, std (Tensor): Mean and standard deviation of the codes, shape (N,).
        frame_rate (Tensor): Frames per second of the sequences, as a fraction, with ``residuals`` only.
        residual_std (Tensor): Root mean square of ``alpha_i - alpha_1``, i >= 2, within training sequences, shape (N,).
        statistics_set (bool): Whether they are set. Not read from the buffers, which would stall the device.
    """

    optional_keys = ('frame_rate',)  # of state dicts; older checkpoints have none

    mean: Tensor
    std: Tensor
    residual_std: Tensor
    animator_hash: Tensor

    def __init__(self, motion_dim: int, *, residuals: bool = False,
                 unit: Callable[[Tensor, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.motion_dim = motion_dim
        self.statistics_set = False
        self._unit = unit
        for name in ('mean', 'std', 'residual_std') if residuals else ('mean', 'std'):
            self.register_buffer(name, torch.full((motion_dim,), torch.nan))
        self.register_buffer('animator_hash', torch.zeros(HASH_BYTES, dtype=torch.uint8))
        if residuals:
            # numerator and denominator, so that 30000/1001 stays exact in any precision; zero if unknown
            self.register_buffer('frame_rate', torch.zeros(2, dtype=torch.int64))

    # ---- statistics --------------------------------------------------------
    def set_statistics(self, mean: Any, std: Any, residual_std: Any = None, *,
                       animator_hash: str | None = None) -> None:
        """Set all statistics, or none and raise a :class:`UserError`.

        Args:
            mean (Tensor | ndarray): Mean of the codes, shape (N,).
            std (Tensor | ndarray): Their standard deviation, shape (N,).
            residual_std (Tensor | ndarray, optional): See the class; ``std`` by default.
            animator_hash (str, optional): The animator's ``weights_hash()``, 64 hexadecimal digits.
        """
        values = dict(mean=mean, std=std)
        if 'residual_std' in self._buffers:
            values['residual_std'] = std if residual_std is None else residual_std
        values = {name: self._checked(name, value) for name, value in values.items()}
        if animator_hash is not None:
            check_same_animator(CodeOrigin('the model', self.animator_weights_hash),
                                CodeOrigin('the training codes', animator_hash))
            values['animator_hash'] = torch.tensor(list(bytes.fromhex(animator_hash)))
        for name, value in values.items():
            getattr(self, name).copy_(value)
        self.statistics_set = True

    def _checked(self, name: str, value: Any) -> Tensor:
        value = torch.as_tensor(value, dtype=torch.float32)
        if tuple(value.shape) != (self.motion_dim,):
            raise UserError(f'{name} of the codes has shape {tuple(value.shape)}, but the model has '
                            f'motion_dim={self.motion_dim}; set it to the motion_dim of the animator of the codes')
        if not bool(torch.isfinite(value).all()) or (name != 'mean' and (value.min() < 0 or value.max() == 0)):
            raise UserError(f'{name} of the codes is not finite, is negative, or is zero in every dimension; '
                            'extract the motion codes again from videos with motion')
        return value

    def set_frame_rate(self, fps: float) -> None:
        """Set the frame rate of the training sequences; a :class:`UserError` if another one is set."""
        if self.fps is not None and not is_same_rate(self.fps, fps):
            raise UserError(f'the model was trained on motion codes of {self.fps:g} frames per second, and these codes '
                            f'have {fps:g}; extract the codes again with leokit extract --fps {self.fps:g}')
        rate = exact_rate(fps)
        self.frame_rate.copy_(torch.tensor([rate.numerator, rate.denominator]))

    @property
    def fps(self) -> float | None:
        """Frame rate of the training sequences; None if unknown."""
        numerator, denominator = self.frame_rate.tolist()
        return float(Fraction(numerator, denominator)) if denominator else None

    @property
    def animator_weights_hash(self) -> str | None:
        """``weights_hash()`` of the animator of the codes; None if unknown."""
        return bytes(self.animator_hash.tolist()).hex() if bool(self.animator_hash.any()) else None

    def require_statistics(self) -> None:
        """Raise a :class:`UserError` if the statistics are not set."""
        if not self.statistics_set:
            raise UserError('the motion statistics of this model are not set; load a trained checkpoint, or train with '
                            'a dataset of motion codes, which sets them')

    # ---- normalization -----------------------------------------------------
    def unit(self) -> Tensor:
        """Unit of each dimension, shape (N,), positive."""
        unit = self.std if self._unit is None else self._unit(self.std, self.residual_std)
        return unit.clamp_min(UNIT_FLOOR * unit.max())

    def normalize(self, motion: Tensor) -> Tensor:
        """Raw codes (..., N) to normalized ones, float32."""
        self.require_statistics()
        if motion.shape[-1] != self.motion_dim:
            raise UserError(f'the motion codes have {motion.shape[-1]} dimensions, but the model has '
                            f'motion_dim={self.motion_dim}; set it to the motion_dim of the animator of the codes')
        return (motion.float() - self.mean) / self.unit()

    def denormalize(self, motion: Tensor) -> Tensor:
        """Normalized codes (..., N) to raw ones."""
        self.require_statistics()
        return motion * self.unit() + self.mean

    # ---- state dicts -------------------------------------------------------
    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix.removesuffix(STATE_PREFIX), keep_vars)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        if 'frame_rate' in self._buffers:  # older checkpoints have none
            state_dict.setdefault(f'{prefix}frame_rate', torch.zeros_like(self.frame_rate))
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.statistics_set = bool(torch.isfinite(self.std).all())

    def extra_repr(self) -> str:
        return f'motion_dim={self.motion_dim}, statistics_set={self.statistics_set}'
