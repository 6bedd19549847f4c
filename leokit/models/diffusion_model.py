"""Base of the trainable diffusion models: a backbone, a diffusion process, and motion codes of one animator."""

from abc import ABCMeta, abstractmethod
from typing import Any, Callable

import torch
from torch import Generator, Tensor

from leokit.models.base_model import TrainableModel
from leokit.models.code_normalizer import STATE_PREFIX, CodeNormalizer
from leokit.models.diffusion import Diffusion
from leokit.models.pretrained import Pretrained
from leokit.registry import DIFFUSION_BACKBONES
from leokit.samplers import Sampler, generators_from_seeds
from leokit.utils.autocast_copy import AutocastCopy
from leokit.utils.graphed_function import RepeatedCalls
from leokit.utils.hashing import stable_number
from leokit.utils.same_animator import CodeOrigin, named_model


GRAPH_MODES = ('reduce-overhead', 'max-autotune')  # of torch.compile, which makes CUDA graphs in them


class DiffusionModel(Pretrained, TrainableModel, metaclass=ABCMeta):
    """Base of the diffusion models that are trained on, or conditioned on, the motion codes of one animator.

    Codes are raw outside and normalized inside.

    Args:
        backbone (dict): Config in DIFFUSION_BACKBONES, with everything that the model passes down.
        diffusion (Diffusion): Noise scheduler, sampler and objective.
        normalizer (CodeNormalizer): Normalization of the codes.
        data_preprocessor (dict, optional): Config in MODELS. Default: None, batches are moved to the model's device.
    """

    label = 'the model'  # in error messages

    def __init__(self, backbone: dict[str, Any], *, diffusion: Diffusion, normalizer: CodeNormalizer,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(data_preprocessor)
        self.backbone = DIFFUSION_BACKBONES.build(backbone)
        self.diffusion = diffusion
        self.normalizer = normalizer
        self.motion_dim = normalizer.motion_dim
        self._compiled_objective: Callable[..., Tensor] | None = None
        self._repeated = RepeatedCalls()  # of the sampling loop
        self._autocast_copy = AutocastCopy()  # of the backbone, for the sampling loop
        self._makes_graphs = True

    @property
    def code_origin(self) -> CodeOrigin:
        """Whose motion codes the model was trained with."""
        return CodeOrigin(named_model(self.label, self), self.normalizer.animator_weights_hash, self.motion_dim)

    # ---- compilation and state ---------------------------------------------
    @property
    def supports_cuda_graph(self) -> bool:
        """Whether a training step can be one CUDA graph: all of its work is on the device, the same in every step."""
        return self.diffusion.coupling == 'independent'  # the optimal assignment runs on the CPU

    def compile_parts(self, **options: Any) -> None:
        """Compile the training objective, and the backbone for sampling; state-dict keys stay as they are.

        Args:
            **options: Passed to ``torch.compile`` (``mode``, ``dynamic``, ...).
        """
        self._makes_graphs = options.get('mode') not in GRAPH_MODES
        self._repeated.clear()
        if self._compiles_objective:
            objective = torch.compile(self._objective, **options)
            # the next replay of a CUDA graph overwrites the tensor that this one returns
            self._compiled_objective = lambda *inputs: objective(*inputs).clone()
        self.backbone.compile(**options)
        self._autocast_copy.compile(**options)

    @property
    def _compiles_objective(self) -> bool:
        """Whether the objective is compiled as a whole, and not the backbone alone."""
        return True

    def sampling_graphs(self, sampler: Sampler) -> RepeatedCalls | None:
        """Where the sampling loop is replayed as a CUDA graph; None if it cannot be."""
        return self._repeated if self._makes_graphs and not self.training and sampler.supports_cuda_graph else None

    def _forget_tensors(self) -> None:
        """Drop what reads the present parameters and buffers, because they are replaced."""
        self._repeated.clear()
        self._autocast_copy.clear()

    def _apply(self, *args: Any, **kwargs: Any) -> 'DiffusionModel':
        self._forget_tensors()
        return super()._apply(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        # the compiled function is bound to this object; a copy must not call it
        return {**super().__getstate__(), '_compiled_objective': None}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        self._forget_tensors()
        # state_dict is torch's copy, of which each child gets the keys that start with its name
        for name, _ in self.normalizer.named_buffers():
            if prefix + name in state_dict:
                state_dict[prefix + STATE_PREFIX + name] = state_dict.pop(prefix + name)
        super()._load_from_state_dict(state_dict, prefix, *args)

    # ---- MMEngine's model contract -----------------------------------------
    def forward(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None,
                mode: str = 'tensor') -> Any:
        """MMEngine's entry.

        Args:
            inputs (dict): ``motion``, raw codes, and the model's other inputs.
            data_samples (dict, optional): Collated names and numbers; they seed a prediction.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list | Tensor: Losses; one dict per sample; or the backbone's output.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None, *,
             generator: Generator | None = None) -> dict[str, Tensor]:
        """The denoising loss at random times, with random noise.

        Args:
            inputs (dict): As for :meth:`forward`.
            data_samples (dict, optional): Not used.
            generator (Generator, optional): Source of randomness; torch's global one by default. With a generator the
                uncompiled objective is used.

        Returns:
            dict: ``loss_diffusion``, a scalar.
        """
        tensors = self._training_tensors(inputs)
        if generator is None and self._compiled_objective is not None:
            return dict(loss_diffusion=self._compiled_objective(*tensors))
        return dict(loss_diffusion=self._objective(*tensors, generator=generator))

    def _training_tensors(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """The positional arguments of :meth:`_objective`."""
        return (inputs['motion'],)

    @abstractmethod
    def _objective(self, *tensors: Tensor, generator: Generator | None = None) -> Tensor:
        """The denoising loss of a batch, a scalar; compiled in training."""

    @abstractmethod
    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """One dict per sample with ``real`` and ``generated``, and ``name`` and ``start`` if they are known."""

    @abstractmethod
    def _forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """The backbone's output for clean samples at time 0."""


def evaluation_generators(data_samples: dict[str, Any] | None, count: int) -> list[Generator] | None:
    """One generator per evaluated sample, seeded by its name and start, so that it does not depend on its batch.

    Args:
        data_samples (dict, optional): Collated, with ``name`` (list of str) and optionally ``start`` (numbers).
        count (int): Batch size.

    Returns:
        list | None: Generators; None, torch's global generator, if the samples have no names.
    """
    if not data_samples or 'name' not in data_samples:
        return None
    starts = data_samples.get('start', [0] * count)
    return generators_from_seeds([stable_number(name, int(start))
                                  for name, start in zip(data_samples['name'], starts)])


def one_dict_per_sample(data_samples: dict[str, Any] | None, **columns: Tensor) -> list[dict[str, Any]]:
    """Split batches (B, ...) into B dicts, with name and start if they are known."""
    labels = {key: data_samples[key] for key in ('name', 'start') if data_samples and key in data_samples}
    rows = zip(*labels.values(), *columns.values())
    return [dict(zip([*labels, *columns], row)) for row in rows]
