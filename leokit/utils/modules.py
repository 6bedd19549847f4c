"""Questions about any ``nn.Module``."""

from itertools import chain

import torch
from torch import nn


def device_of(module: nn.Module) -> torch.device:
    """The device of a module's parameters, else of its buffers; the CPU if it has neither."""
    return next((tensor.device for tensor in chain(module.parameters(), module.buffers())), torch.device('cpu'))


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model without the wrapper of distributed training."""
    from mmengine.model import is_model_wrapper  # imports all optimizers; only training wraps models
    return model.module if is_model_wrapper(model) else model
