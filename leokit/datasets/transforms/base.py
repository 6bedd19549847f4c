"""Batch transforms: augmentations on the device, with one set of random parameters per sample.

A sample's frames, be they source and driving or the frames of a clip, always get the same parameters: what differs
between them must stay motion.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class BatchTransform(nn.Module, ABC):
    """Base of the batch transforms.

    A subclass draws its parameters for B samples and applies them to one tensor of images; this class takes care of
    clips, of several tensors in a batch, and of samples that are left alone.

    Args:
        probability (float): Probability that a sample is transformed.

    Raises:
        ValueError: If the probability is outside 0..1.
    """

    def __init__(self, probability: float = 1.0) -> None:
        super().__init__()
        if not 0 <= probability <= 1:
            raise ValueError(f'probability must be in 0..1, got {probability}')
        self.probability = probability

    def forward(self, inputs: dict[str, Tensor], generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Transform every image tensor of a batch.

        Args:
            inputs (dict[str, Tensor]): Floating-point images (B, 3, H, W) or clips (B, T, 3, H, W) in [-1, 1], of one
                batch size B; other tensors are passed through.
            generator (torch.Generator, optional): Source of randomness; torch's own for the device by default.

        Returns:
            dict[str, Tensor]: New tensors under the same keys; the input is left as it is.

        Raises:
            ValueError: If the images differ in batch size.
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
        return {**inputs, **{key: self._to_clips_or_images(tensor, parameters) for key, tensor in images.items()}}

    @abstractmethod
    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw parameters.

        Args:
            active (Tensor): Which samples are transformed, bool (B,); the others get parameters that change nothing.
            generator (torch.Generator, optional): Source of randomness.

        Returns:
            Tensor: Parameters, shape (B, ...).
        """

    @abstractmethod
    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Transform images (B, 3, H, W), each with its own parameters (B, ...)."""

    def _to_clips_or_images(self, tensor: Tensor, parameters: Tensor) -> Tensor:
        if tensor.ndim == 4:
            return self.apply_to(tensor, parameters)
        batch, frames = tensor.shape[:2]
        repeated = parameters.repeat_interleave(frames, dim=0)
        return self.apply_to(tensor.flatten(0, 1), repeated).unflatten(0, (batch, frames))


def is_images(tensor: object) -> bool:
    """Whether this is a floating-point tensor of images (B, 3, H, W) or clips (B, T, 3, H, W)."""
    return (isinstance(tensor, Tensor) and tensor.is_floating_point() and tensor.ndim in (4, 5)
            and tensor.shape[-3] == 3)


def uniform(low: float, high: float, shape: tuple[int, ...], device: torch.device,
            generator: torch.Generator | None) -> Tensor:
    """Uniform float32 numbers on ``device``, from a generator that may live on another one."""
    drawn_on = device if generator is None else generator.device
    return torch.rand(shape, device=drawn_on, generator=generator).mul(high - low).add(low).to(device)
