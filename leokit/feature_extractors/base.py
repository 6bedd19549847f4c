"""Base class of feature extractors, the result of a detection, and float32 precision."""

from contextlib import ExitStack, contextmanager
from typing import Iterator, Literal, NamedTuple

import torch
from torch import Tensor, nn

from leokit.utils import weights_hash


class Detected(NamedTuple):
    """Result of an extractor that detects something first, such as a face.

    Attributes:
        values (Tensor): Features, shape (B, dim). Rows without a detection are NaN and not zero, so that a mean without
            a mask is NaN as well.
        found (Tensor): Boolean mask of the detections, shape (B,).
    """

    values: Tensor
    found: Tensor

    @property
    def missing_rate(self) -> float:
        """Share of the batch without a detection, in [0, 1]; 0 for an empty batch."""
        return 1 - self.found.float().mean().item() if len(self.found) else 0.0


class FeatureExtractor(nn.Module):
    """A frozen network (or formula) that maps images or videos to feature vectors.

    A subclass sets ``kind``, ``dim`` and ``label`` and implements ``forward``: images (B, 3, H, W) or videos
    (B, T, 3, H, W) in [-1, 1] to features (B, dim). It always stays in evaluation mode. Extractors that detect
    something first also have ``extract(images) -> Detected``, and ``forward`` returns ``extract(images).values``.

    Attributes:
        kind (str): Kind of input: 'image' or 'video'.
        dim (int): Length of a feature vector.
        label (str): Name in keys and records of metrics; different for variants with different features.
    """

    kind: Literal['image', 'video']
    dim: int
    label: str

    def freeze(self) -> None:
        """Disable gradients of the weights and enable evaluation mode; call it at the end of a constructor."""
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> 'FeatureExtractor':
        return super().train(False)  # also when the surrounding model is in training mode

    def fingerprint(self) -> str:
        """SHA-256 that identifies the features: of the weights, 64 hexadecimal digits."""
        return weights_hash(self.state_dict())


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute in float32 on ``device``: no autocast, and no TF32 in matrix products and cuDNN's convolutions."""
    precision = torch.get_float32_matmul_precision()
    with ExitStack() as stack:
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == 'cuda':
            cudnn = torch.backends.cudnn
            stack.enter_context(cudnn.flags(enabled=cudnn.enabled, benchmark=cudnn.benchmark,
                                            deterministic=cudnn.deterministic, allow_tf32=False))
        if precision != 'highest':  # a training allows TF32
            torch.set_float32_matmul_precision('highest')
            stack.callback(torch.set_float32_matmul_precision, precision)
        yield
