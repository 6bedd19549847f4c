"""VGG-19, the network of the perceptual losses of FOMM and LIA.

Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, with
torchvision's ImageNet weights. Used by Johnson et al. 2016 (losses on its activations), Siarohin et al. 2019 (FOMM:
relu1_1 ... relu5_1 at several image scales) and LIA.
"""

from pathlib import Path

from torch import Tensor

from leokit.feature_extractors.image_backbone import ImageBackbone
from leokit.feature_extractors.weights import WeightFile, find_weights, load_tensors
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError

VGG19_FILE = WeightFile(
    name='vgg19-dcbb9e9d.pth',
    source='https://download.pytorch.org/models/vgg19-dcbb9e9d.pth (torchvision, VGG19_Weights.IMAGENET1K_V1)',
    url='https://download.pytorch.org/models/vgg19-dcbb9e9d.pth',
    sha256='dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44')
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RELU_LAYERS = (1, 6, 11, 20, 29)  # relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 in torchvision's numbering


@FEATURE_EXTRACTORS.register_module()
class VGG19Features(ImageBackbone):
    """VGG-19 up to relu5_1: five maps of 64, 128, 256, 512 and 512 channels at strides 1 to 16.

    The pooled features are the average of relu5_1. Images must be at least 16 x 16.

    Args:
        weights (str | Path, optional): A VGG-19 state dict of torchvision. Default: ``vgg19-dcbb9e9d.pth`` in the
            folder of weight files, downloaded if missing and verified by its SHA-256.
        resize (int, optional): Resolution to which images are resized first; the network was trained at 224.
        download (bool): False never downloads.
    """

    dim = 512

    def __init__(self, weights: str | Path | None = None, *, resize: int | None = None, download: bool = True):
        super().__init__(resize)
        from torchvision.models import vgg19  # slow to import, and only this backbone needs it

        self.label = 'vgg19' if resize is None else f'vgg19_{resize}'
        self.set_normalization(IMAGENET_MEAN, IMAGENET_STD)
        path = find_weights(VGG19_FILE, weights, download=download)
        self.layers = vgg19(init_weights=False).features[:RELU_LAYERS[-1] + 1]
        for layer in self.layers:
            if hasattr(layer, 'inplace'):
                layer.inplace = False  # activations before a ReLU are needed for its gradient
        self._load(path)
        self.freeze()

    def _load(self, path: Path) -> None:
        tensors, own = load_tensors(path), self.layers.state_dict()
        for key, tensor in own.items():
            given = tensors.get(f'features.{key}')
            if given is None or given.shape != tensor.shape:
                found = 'missing' if given is None else f'of shape {tuple(given.shape)}'
                raise UserError(f'{path} is not a VGG-19 state dict of torchvision: features.{key} is {found}; '
                                f'get it from {VGG19_FILE.source}')
        # The file also has the later layers and the classifier, which are not used here.
        self.layers.load_state_dict({key: tensors[f'features.{key}'] for key in own}, strict=True)

    def stages(self, x: Tensor) -> tuple[Tensor, ...]:
        """The maps relu1_1, relu2_1, relu3_1, relu4_1, relu5_1."""
        maps = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in RELU_LAYERS:
                maps.append(x)
        return tuple(maps)

    def head(self, x: Tensor) -> Tensor:
        """The coarsest map as it is."""
        return x
