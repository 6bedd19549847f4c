"""From a collated batch to a model's inputs: device, pixel range, augmentation."""

from collections.abc import Mapping
from typing import Any, Sequence

import torch
from torch import Tensor, nn

from leokit.registry import MODELS, TRANSFORMS
from leokit.utils.pixels import from_uint8


@MODELS.register_module()
class DataPreprocessor(nn.Module):
    """Moves all tensors of a batch to the device of the model.

    Args:
        non_blocking (bool): Copy to a GPU asynchronously.
    """

    def __init__(self, non_blocking: bool = False) -> None:
        super().__init__()
        self._non_blocking = non_blocking
        self._device = torch.device('cpu')  # set by TrainableModel when it is moved

    @property
    def device(self) -> torch.device:
        """torch.device: Where batches are moved to."""
        return self._device

    def forward(self, data: Any, training: bool = False) -> Any:
        """The batch on the device."""
        return self.cast_data(data)

    def cast_data(self, data: Any) -> Any:
        """Move tensors in nested mappings, named tuples and sequences; everything else stays as it is."""
        if hasattr(data, 'to'):  # tensors, and MMEngine's data elements
            return data.to(self.device, non_blocking=self._non_blocking)
        if isinstance(data, Mapping):
            return {key: self.cast_data(value) for key, value in data.items()}
        if isinstance(data, tuple) and hasattr(data, '_fields'):
            return type(data)(*map(self.cast_data, data))
        if isinstance(data, (list, tuple)):
            return type(data)(map(self.cast_data, data))
        return data


@MODELS.register_module()
class PixelPreprocessor(DataPreprocessor):
    """Moves a batch to the device as bytes and converts it to pixels there.

    uint8 inputs become float32 in [-1, 1]; other inputs (motion codes) are only moved. ``data_samples`` stay where they
    are. In training, batch transforms are applied in float32, also under autocast.

    Args:
        transforms (Sequence[dict]): Configs in TRANSFORMS, applied in this order, in training only.
        channels_last (bool): Lay out images (B, 3, H, W) in channels-last memory format.
        non_blocking (bool): Copy to a GPU asynchronously.
    """

    conventions = dict(color='RGB', value_range='[-1, 1]')  # of the pixels that the weights depend on

    def __init__(self, transforms: Sequence[dict] = (), channels_last: bool = False, *,
                 non_blocking: bool = True) -> None:
        super().__init__(non_blocking)
        self.transforms = nn.ModuleList(TRANSFORMS.build(dict(transform)) for transform in transforms)
        self.channels_last = channels_last

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data (dict): ``inputs`` (tensors by name) and other keys; not modified.
            training (bool): Apply the transforms.

        Returns:
            dict: The same keys, with new inputs on the device.
        """
        if not isinstance(data.get('inputs'), dict):
            raise ValueError('a batch must have inputs: a dict of tensors, collated by default_collate '
                             "(collate_fn=dict(type='default_collate') in the data loader's config)")
        inputs = {key: self._to_pixels(value) for key, value in self.cast_data(data['inputs']).items()}
        if training and len(self.transforms):
            with torch.autocast(self.device.type, enabled=False):
                for transform in self.transforms:
                    inputs = transform(inputs)
        if self.channels_last:
            inputs = {key: value.contiguous(memory_format=torch.channels_last) if _is_image_batch(value) else value
                      for key, value in inputs.items()}
        return {**data, 'inputs': inputs}

    @staticmethod
    def _to_pixels(value: Any) -> Any:
        return from_uint8(value) if isinstance(value, Tensor) and value.dtype == torch.uint8 else value


def _is_image_batch(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4 and value.shape[1] == 3
