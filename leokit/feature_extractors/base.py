"""What every feature extractor has in common, and how a failed detection is told."""

from contextlib import ExitStack, contextmanager
from typing import Iterator, Literal, NamedTuple

import torch
from torch import Tensor, nn

from leokit.utils import weights_hash


class Detected(NamedTuple):
    """Result of an extractor that has to find something first, such as a face.

    Nothing found is never a zero: ``values`` is NaN there, so that an unmasked mean shows it, and ``found`` says so.

    Attributes:
        values (Tensor): Features, shape (B, dim); rows of NaN where nothing was found.
        found (Tensor): Boolean, shape (B,).
    """

    values: Tensor
    found: Tensor

    @property
    def missing_rate(self) -> float:
        """Share of the batch in which nothing was found, in [0, 1]; 0 for an empty batch."""
        return 1 - self.found.float().mean().item() if len(self.found) else 0.0


class FeatureExtractor(nn.Module):
    """A frozen network (or formula) that turns images or videos into feature vectors.

    A subclass sets ``kind``, ``dim`` and ``label`` and implements ``forward``: images (B, 3, H, W), or videos
    (B, T, 3, H, W), in [-1, 1] to features (B, dim). It always stays in evaluation mode. Those that can fail to find
    what they look for also have ``extract(images) -> Detected``; their ``forward`` returns ``extract(images).values``.

    Attributes:
        kind (str): 'image' or 'video': which of the two inputs it takes.
        dim (int): Length of a feature vector.
        label (str): Name for the keys and records of metrics; it tells variants apart whose features differ.
    """

    kind: Literal['image', 'video']
    dim: int
    label: str

    def freeze(self) -> None:
        """Switch gradients of the weights off and evaluation mode on; for the end of a constructor."""
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> 'FeatureExtractor':
        """Stay in evaluation mode, whatever the surrounding model does."""
        return super().train(False)

    def fingerprint(self) -> str:
        """SHA-256 of the weights, 64 hexadecimal digits: which features these are."""
        return weights_hash(self.state_dict())


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Measure in float32: no autocast, and no TF32 in cuDNN's convolutions (where PyTorch has it on).

    Args:
        device (torch.device): Where the features are computed.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == 'cuda':
            cudnn = torch.backends.cudnn
            stack.enter_context(cudnn.flags(enabled=cudnn.enabled, benchmark=cudnn.benchmark,
                                            deterministic=cudnn.deterministic, allow_tf32=False))
        yield
