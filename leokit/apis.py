"""The one way from a config and a checkpoint to a model that is ready to use."""

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from leokit.engine import TRAINING_ONLY, explain_build_errors, load_weights
from leokit.registry import MODELS
from leokit.utils.checkpoints import load_checkpoint
from leokit.utils.config import read_config
from leokit.utils.errors import UserError

TRAINING_KEY = 'training'  # of a model's config: what only training needs


def init_model(config: str | Path | Config, checkpoint: str | Path | None = None, device: str = 'cpu',
               cfg_options: dict[str, Any] | None = None) -> nn.Module:
    """Build a model and load its weights: the averaged ones, where training kept an average.

    What stands under ``model.training`` (losses, discriminator) is left out: no weights of a perceptual network are
    needed to use a model.

    Args:
        config (str | Path | Config): The config the model was trained with, or its file.
        checkpoint (str | Path, optional): The weights; without them the model is as initialized.
        device (str): ``'cpu'``, ``'cuda'``, ``'cuda:1'``, ...
        cfg_options (dict, optional): Overrides of the config, with dotted keys.

    Returns:
        nn.Module: The model in evaluation mode on the device; ``model.cfg`` is its config.

    Raises:
        UserError: If config, checkpoint or device cannot be used.
    """
    target = check_device(device)
    config = read_config(config, cfg_options)
    if 'model' not in config:
        raise UserError(f"the config {config.filename or ''} has no 'model'")
    # read first: a missing file should not wait for the model to be built
    content = load_checkpoint(checkpoint) if checkpoint is not None else None
    init_default_scope(config.get('default_scope', 'leokit'))
    with explain_build_errors(config):
        model = MODELS.build({key: part for key, part in config.model.items() if key != TRAINING_KEY})
    if content is not None:
        load_weights(model, content['state_dict'], source=str(checkpoint), optional=TRAINING_ONLY,
                     meta=content.get('meta'))
    model.cfg = config
    return model.to(target).eval()


def check_device(device: str | torch.device) -> torch.device:
    """Parse a device and check that it is there.

    Args:
        device (str | torch.device): ``'cpu'``, ``'cuda'``, ``'cuda:1'``, ...

    Returns:
        torch.device: The device.

    Raises:
        UserError: If it is no device, or this machine does not have it.
    """
    try:
        target = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"the device {device!r} is unknown; use 'cpu', 'cuda' or 'cuda:0'") from error
    if target.type == 'cuda':
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise UserError(f"the device {str(device)!r} was asked for, but torch finds no CUDA here; use 'cpu', or "
                            f'install a CUDA build of torch')
        if (target.index or 0) >= count:
            raise UserError(f'the device {str(device)!r} was asked for, but there are only {count}; '
                            f"use 'cuda:0' to 'cuda:{count - 1}'")
    return target
