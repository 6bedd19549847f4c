"""Augmentation on a GPU never waits for it: nothing is copied from or to the host, which also a CUDA graph forbids."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from leokit.models.data_preprocessor import PixelPreprocessor
from leokit.nn.face_regions import boxes_to_maps

# tensors made of numbers of the host; numbers, sizes and positions read from tensors
WAITING = ('lift_fresh', '_local_scalar_dense', 'nonzero', 'masked_select', 'linalg_inv', 'linalg_solve', 'linalg_qr',
           'linalg_svd', 'linalg_eig', 'is_nonzero')
TRANSFORMS = [
    dict(type='PairedFlip'), dict(type='PairedAffine'), dict(type='PairedElastic', strength=0.02),
    dict(type='PairedColorJitter', gamma=0.2, light=0.2),
    dict(type='MotionView', transforms=[dict(type='PairedColorJitter')])]


class Calls(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


def batch():
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    regions = boxes_to_maps(torch.tensor([[[0.4, 0.5, 0.6, 0.7], [0.2, 0.3, 0.4, 0.4]]]).repeat(2, 1, 1))
    return dict(inputs=dict(source=images, driving=images.clone(), regions=regions, source_regions=regions))


@pytest.mark.parametrize('transforms', [[one] for one in TRANSFORMS] + [TRANSFORMS],
                         ids=lambda transforms: '+'.join(one['type'] for one in transforms))
def test_augmentation_does_not_wait_for_the_device(transforms):
    preprocessor = PixelPreprocessor(transforms)
    data = batch()
    preprocessor(data, True)  # the first call may make constants
    with Calls() as calls:
        preprocessor(data, True)
    waiting = [name for name in calls.names if any(word in name for word in WAITING)]
    assert len(calls.names) > 5 and not waiting


def test_such_copies_would_be_found():
    with Calls() as calls:
        torch.tensor([1.0, 2.0], device='cpu').sum().item()
    assert any('lift_fresh' in name for name in calls.names)
    assert any('_local_scalar_dense' in name for name in calls.names)
