"""What a motion diffusion is given besides the noisy sequence: the first code, a control of each frame, the padding.

The first code enters by the motion condition, the control by a control encoder and ``control_dim`` of the backbone. In
training, either is dropped for some samples, and a flag tells the network; sampling is then guided by each one with a
scale of its own (:func:`~leokit.samplers.guide_in_order`, the first code before the control)::

    D(0, 0) + s_start (D(start, 0) - D(0, 0)) + s_control (D(start, control) - D(start, 0))

A condition that is never dropped is always present, and its terms are missing.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from leokit.models.contracts import check_prediction
from leokit.models.diffusion import Network
from leokit.motion_conditions import MotionCondition
from leokit.registry import CONTROL_ENCODERS
from leokit.samplers import Denoiser, guide_in_order, mark_condition
from leokit.utils import UserError, check_shape
from leokit.utils.batch_random import uniform_rows

CONDITIONS = ('start', 'control')  # in the order of guidance


class Given(NamedTuple):
    """What is known of a batch of sequences.

    Attributes:
        start (Tensor, optional): Normalized first codes, shape (B, N).
        control (Tensor, optional): Control sequences, shape (B, T, C).
        mask (Tensor, optional): True in frames that count, bool, shape (B, T); the first frames of each sequence.
    """

    start: Tensor | None
    control: Tensor | None = None
    mask: Tensor | None = None


class MotionConditioning(nn.Module):
    """Conditions of a motion diffusion, their dropout and their guidance.

    Args:
        motion_condition (MotionCondition): How the first code enters.
        control (dict, optional): Config in CONTROL_ENCODERS; None for no control.
        control_dropout (float): Fraction of training samples without control; 0 makes it obligatory.
        start_dropout (float): Fraction of training samples without first code, for guidance by it.
        guidance_scales (Mapping, optional): ``start`` and ``control``, 1 by default.
    """

    def __init__(self, motion_condition: MotionCondition, *, control: dict | None = None, control_dropout: float = 0.1,
                 start_dropout: float = 0.0, guidance_scales: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.motion_condition = motion_condition
        self.control_encoder = CONTROL_ENCODERS.build(control) if control else None
        self.dropout = dict(start=start_dropout, control=control_dropout if control else 0.0)
        for name, rate in self.dropout.items():
            if not 0 <= rate < 1:
                raise UserError(f'conditioning.{name}_dropout={rate} must be at least 0 and below 1')
        if start_dropout and not motion_condition.uses_start:
            raise UserError(f'conditioning.start_dropout needs a condition on the first code, and '
                            f'{type(motion_condition).__name__} is none; set it to 0')
        self.guidance_scales = self.scales(guidance_scales, {})

    def backbone_options(self, backbone: Mapping[str, Any]) -> dict[str, Any]:
        """The config of a backbone with the inputs that the conditions need."""
        options = dict(backbone)
        if self.control_encoder is not None:
            options['control_dim'] = self.control_encoder.dim + 1  # and the flag
        if self.dropout['start']:
            options['cond_dim'] = options.get('cond_dim', 0) + 1  # the flag
        return options

    def scales(self, given: Mapping[str, float] | None,
               defaults: Mapping[str, float] | None = None) -> dict[str, float]:
        """Guidance scales, checked.

        Args:
            given (Mapping, optional): By name of the condition.
            defaults (Mapping, optional): For others; the model's by default.
        """
        defaults = self.guidance_scales if defaults is None else defaults
        scales = {**dict.fromkeys(CONDITIONS, 1.0), **defaults, **(given or {})}
        unknown = sorted(set(scales) - set(CONDITIONS))
        if unknown:
            raise UserError(f'guidance scale of {unknown[0]!r} is unknown; the conditions are {", ".join(CONDITIONS)}')
        for name, scale in scales.items():
            if scale != 1 and not self.dropout[name]:
                raise UserError(f'guidance by {name} with a scale of {scale} needs a model that was trained without '
                                f'{name} too; train it with conditioning.{name}_dropout=0.1, or leave the scale at 1')
        return scales

    # ---- checks ------------------------------------------------------------
    def check_control(self, control: Tensor | None, frames: int) -> None:
        """Raise a :class:`UserError` unless the control (B, T, C) belongs to sequences of ``frames`` frames."""
        if control is None and self.control_encoder is not None and not self.dropout['control']:
            raise UserError('this motion diffusion needs a control sequence; pass control, shape (B, T, '
                            f'{self.control_encoder.control_dim})')
        if control is None:
            return
        if self.control_encoder is None:
            raise UserError('there is a control sequence, but this motion diffusion has no control encoder; set '
                            "model.conditioning.control, or leave the control out")
        check_shape('control', control, (None, None, None))
        if control.shape[2] != self.control_encoder.control_dim:
            raise UserError(f'the control sequence has {control.shape[2]} channels, and this motion diffusion was '
                            f'trained with {self.control_encoder.control_dim}; give as many')
        if control.shape[1] != frames:
            raise UserError(f'the control sequence has {control.shape[1]} frames and the motion {frames}; give one row '
                            'of control for each frame, or resample it (leokit.datasets.resample_control)')

    # ---- networks ----------------------------------------------------------
    def training_network(self, backbone: nn.Module, given: Given, generator: Generator | None = None) -> Network:
        """The network of a training step, which some samples give no start or no control."""
        kept = {}
        for name in CONDITIONS:
            value, rate = getattr(given, name), self.dropout[name]
            if rate and value is not None:
                kept[name] = uniform_rows(value, generator) >= rate  # (B,)
        return self.network(backbone, given, kept)

    def network(self, backbone: nn.Module, given: Given, kept: Mapping[str, Tensor] | None = None) -> Network:
        """The network that is trained and sampled.

        Args:
            backbone (nn.Module): The backbone.
            given (Given): The batch; a control that is missing counts as dropped.
            kept (Mapping, optional): By condition, samples that see it, bool, shape (B,); all by default.

        Returns:
            Network: Maps the noised variable (B, T', N) and t (B,) to an output like it.
        """
        kept, start = kept or {}, given.start
        flag, control = None, None
        if self.dropout['start']:
            marked = mark_condition(start, kept.get('start', _all(start)))
            start, flag = marked[:, :-1], marked[:, -1:]  # a dropped code is the mean, 0
        if self.control_encoder is not None and given.control is not None:
            features = self.control_encoder(given.control, given.mask)
            control = mark_condition(features, kept.get('control', _all(features)))  # (B, T, dim + 1)

        def network(noisy: Tensor, t: Tensor) -> Tensor:
            x, cond = self.motion_condition.network_input(noisy, start)  # (B, T', N) -> (B, T, N)
            if flag is not None:
                cond = flag if cond is None else torch.cat([cond, flag], dim=1)
            # only what there is: other backbones need not know masks and controls
            inputs = {} if given.mask is None else dict(mask=given.mask)
            if self.control_encoder is not None:
                inputs['control'] = x.new_zeros(*x.shape[:2], self.control_encoder.dim + 1) if control is None \
                    else control
            output = backbone(x, t, cond, **inputs)
            check_prediction(output, x)
            return self.motion_condition.network_output(output)  # (B, T, N) -> (B, T', N)
        return network

    def guided(self, denoiser: Callable[[Network], Denoiser], backbone: nn.Module, given: Given,
               guidance_scales: Mapping[str, float] | None = None) -> Denoiser:
        """The denoiser for sampling, guided by each condition that is given.

        Args:
            denoiser (Callable): Makes a denoiser of a network; see :meth:`Diffusion.denoiser`.
            backbone (nn.Module): The backbone.
            given (Given): The batch.
            guidance_scales (Mapping, optional): In place of the model's.
        """
        scales = self.scales(guidance_scales)
        names = [name for name in CONDITIONS if self.dropout[name] and getattr(given, name) is not None]
        if not names:
            return denoiser(self.network(backbone, given))

        def with_first(count: int) -> Denoiser:
            batch = len(getattr(given, names[0]))
            device = getattr(given, names[0]).device
            kept = {name: torch.full((batch,), k < count, device=device) for k, name in enumerate(names)}
            return denoiser(self.network(backbone, given, kept))

        return guide_in_order([with_first(k) for k in range(len(names) + 1)], [scales[name] for name in names])


def build_conditioning(motion_condition: MotionCondition, options: Mapping[str, Any] | None) -> MotionConditioning:
    """The conditioning of a config; a :class:`UserError` for keys that it does not know."""
    known = [name for name in signature(MotionConditioning).parameters if name != 'motion_condition']
    unknown = sorted(set(options or {}) - set(known))
    if unknown:
        raise UserError(f'conditioning.{unknown[0]} is unknown; the keys are {", ".join(known)}')
    return MotionConditioning(motion_condition, **(options or {}))


def _all(like: Tensor) -> Tensor:
    """True for each sample of a batch (B, ...), shape (B,)."""
    return torch.full((len(like),), True, device=like.device)
