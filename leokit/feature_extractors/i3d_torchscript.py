"""StyleGAN-V's I3D detector, the file ``i3d_torchscript.pt``.

Skorokhodov et al., "StyleGAN-V", CVPR 2022. Most FVD values published since then are from this file. It is TorchScript,
and loading it runs its code; therefore only the published file is loaded without explicit permission.
"""

from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.base import FeatureExtractor, full_precision
from leokit.feature_extractors.i3d_network import NUM_CLASSES
from leokit.feature_extractors.weights import WeightFile, find_weights
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError, check_shape
from leokit.utils.hashing import file_sha256
from leokit.utils.pixels import HALF_RANGE

DETECTOR_FILE = WeightFile(
    name='i3d_torchscript.pt',
    source='https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt (StyleGAN-V) or '
           'https://huggingface.co/flateon/FVD-I3D-torchscript',
    url='https://huggingface.co/flateon/FVD-I3D-torchscript/resolve/1c2d61711c52571ad617a1063e6fa691b212e184/'
        'i3d_torchscript.pt',
    sha256='bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2')


@FEATURE_EXTRACTORS.register_module()
class I3DTorchScript(FeatureExtractor):
    """StyleGAN-V's detector: 400 features per clip, before the softmax.

    The detector itself rescales 8-bit values and resizes to 224x224, as in StyleGAN-V.

    Args:
        weights (str | Path, optional): The file; default: that in the folder of weight files, downloaded if missing.
        trust (bool): Load a file whose SHA-256 is not that of the published one. It can run any code; use it only for
            files of your own.
        download (bool): False never downloads.
    """

    kind = 'video'
    dim = NUM_CLASSES
    label = 'i3d_styleganv'

    def __init__(self, weights: str | Path | None = None, *, trust: bool = False, download: bool = True):
        super().__init__()
        path = find_weights(DETECTOR_FILE, weights, download=download)
        self._sha256 = file_sha256(path)
        if self._sha256 != DETECTOR_FILE.sha256 and not trust:
            raise UserError(f'{path} is not the published {DETECTOR_FILE.name} (its SHA-256 is {self._sha256}), and '
                            'loading TorchScript runs code from the file; get the published one from '
                            f'{DETECTOR_FILE.source}, or pass trust=True for a file of your own')
        try:
            self.network = torch.jit.load(str(path), map_location='cpu')
        except RuntimeError as error:
            raise UserError(f'{path} cannot be loaded as TorchScript; it is damaged or of another kind, '
                            f'get it from {DETECTOR_FILE.source}') from error
        self.freeze()

    def forward(self, videos: Tensor) -> Tensor:
        """Features (B, 400) of clips (B, T, 3, H, W) in [-1, 1]."""
        check_shape('videos', videos, (None, None, 3, None, None))
        with full_precision(videos.device):
            values = (videos.float() + 1) * HALF_RANGE  # 0 ... 255, not rounded
            values = rearrange(values, 'b t c h w -> b c t h w')
            return self.network(values, rescale=True, resize=True, return_features=True)

    def fingerprint(self) -> str:
        return self._sha256
