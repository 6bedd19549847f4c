"""Base of the batch transforms: data augmentation on the device, with one set of random parameters per sample.

All frames of a sample (source and driving frame, or the frames of a clip) get the same parameters, so that they still
differ by motion only.
"""

from abc import ABC, abstractmethod

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from leokit.nn.face_regions import REGION_KEYS
from leokit.utils.batch_random import own_rows


class BatchTransform(nn.Module, ABC):
    """Base class of batch transforms.

    A subclass samples parameters for B samples and applies them to one tensor of images; this class handles clips,
    several tensors in a batch, and the choice of the samples that are transformed. A transform that moves pixels also
    overrides :meth:`apply_to_regions`.

    Args:
        probability (float): Probability that a sample is transformed.

    Attributes:
        supports_cuda_graph (bool): All that changes from batch to batch are tensors and random numbers of the device's
            default generator, so that the transform can be part of a training step that is replayed as a CUDA graph.
            Numbers of Python or NumPy would be the same in every replay.
    """

    supports_cuda_graph: bool = False

    def __init__(self, probability: float = 1.0) -> None:
        super().__init__()
        if not 0 <= probability <= 1:
            raise ValueError(f'probability must be in 0..1, got {probability}')
        self.probability = probability

    def forward(self, inputs: dict[str, Tensor], generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Transform every image tensor of a batch.

        Args:
            inputs (dict[str, Tensor]): Floating-point images (B, 3, H, W) or clips (B, T, 3, H, W) in [-1, 1], all
                with batch size B; ``regions`` and ``source_regions`` of faces, see :meth:`apply_to_regions`; other
                tensors are passed through.
            generator (torch.Generator, optional): Source of randomness. Default: the device's default generator.

        Returns:
            dict[str, Tensor]: New tensors under the same keys; the inputs are not modified.
        """
        images = {key: tensor for key, tensor in inputs.items() if is_images(tensor)}
        if not images:
            return dict(inputs)
        sizes = {len(tensor) for tensor in images.values()}
        if len(sizes) > 1:
            raise ValueError(f'the images of a batch must have one batch size, got {sorted(sizes)}')
        device = next(iter(images.values())).device
        batch = sizes.pop()
        active = uniform(0, 1, (batch,), device, generator) < self.probability
        parameters = self.sample_parameters(active, generator)
        changed = {key: self._to_clips_or_images(tensor, parameters) for key, tensor in images.items()}
        regions = {key: inputs[key] for key in REGION_KEYS if key in inputs}
        if regions:  # all at once: these are many small kernels
            moved = self.apply_to_regions(torch.cat([*regions.values()], dim=1), parameters)
            changed |= zip(regions, moved.split([maps.shape[1] for maps in regions.values()], dim=1))
        return {**inputs, **changed}

    @abstractmethod
    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Sample the parameters of a batch.

        Args:
            active (Tensor): Mask of the samples to transform, bool (B,); the others get parameters of the identity.
            generator (torch.Generator, optional): Source of randomness.

        Returns:
            Tensor: Parameters, shape (B, ...).
        """

    @abstractmethod
    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Transform images (B, 3, H, W), each with its own row of the parameters (B, ...)."""

    def apply_to_regions(self, regions: Tensor, parameters: Tensor) -> Tensor:
        """Regions (B, R, 2, 3) of the transformed images, see :mod:`leokit.nn.face_regions`; the same by default."""
        return regions

    def _to_clips_or_images(self, tensor: Tensor, parameters: Tensor) -> Tensor:
        if tensor.ndim == 4:
            return self.apply_to(tensor, parameters)
        frames = tensor.shape[1]
        repeated = repeat(parameters, 'b ... -> (b t) ...', t=frames)
        transformed = self.apply_to(rearrange(tensor, 'b t c h w -> (b t) c h w'), repeated)
        return rearrange(transformed, '(b t) c h w -> b t c h w', t=frames)


def is_images(tensor: object) -> bool:
    """Return True for a floating-point tensor of images (B, 3, H, W) or clips (B, T, 3, H, W)."""
    return (isinstance(tensor, Tensor) and tensor.is_floating_point() and tensor.ndim in (4, 5)
            and tensor.shape[-3] == 3)


def uniform(low: float, high: float, shape: tuple[int, ...], device: torch.device,
            generator: torch.Generator | None) -> Tensor:
    """Uniform float32 numbers on ``device``, from a generator on any device; samples are the last dimension."""
    if generator is None:  # samples are the last dimension
        numbers = own_rows(lambda count: torch.rand((*shape[:-1], count), device=device), shape[-1], dim=-1)
    else:
        numbers = torch.rand(shape, device=generator.device, generator=generator)
    return numbers.mul(high - low).add(low).to(device)


def normal(shape: tuple[int, ...], device: torch.device, generator: torch.Generator | None) -> Tensor:
    """Standard normal float32 numbers on ``device``, as :func:`uniform`."""
    if generator is None:
        return own_rows(lambda count: torch.randn((*shape[:-1], count), device=device), shape[-1], dim=-1)
    return torch.randn(shape, device=generator.device, generator=generator).to(device)
