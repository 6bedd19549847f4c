"""From config and checkpoint to the models of a pipeline, each checked to be what it is taken for."""

import copy
import logging
from pathlib import Path
from typing import Any, Mapping

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from leokit.apis import init_model
from leokit.engine.checkpoint_files import newest_checkpoint
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.utils import UserError

ANIMATOR_KEYS = ('config', 'checkpoint')


def load_animator(config: str | Path | Config, checkpoint: str | Path, device: str = 'cpu',
                  cfg_options: dict[str, Any] | None = None) -> Animator:
    """Load a trained animator.

    Args:
        config (str | Path | Config): The config it was trained with.
        checkpoint (str | Path): Its weights, or a work dir, whose newest checkpoint is taken.
        device (str): Where it goes.
        cfg_options (dict, optional): Overrides of the config, with dotted keys.

    Returns:
        Animator: In evaluation mode.

    Raises:
        UserError: If a file cannot be used or holds another kind of model.
    """
    return _load(Animator, 'an animator, such as configs/lia/lia_synthetic_64.py', config, checkpoint, device,
                 cfg_options)


def load_motion_diffusion(config: str | Path | Config, checkpoint: str | Path, device: str = 'cpu',
                          cfg_options: dict[str, Any] | None = None) -> MotionDiffusion:
    """Load a trained motion diffusion; arguments as in :func:`load_animator`.

    Returns:
        MotionDiffusion: In evaluation mode.

    Raises:
        UserError: If a file cannot be used or holds another kind of model.
    """
    return _load(MotionDiffusion, 'a motion diffusion, such as configs/leo/lmdm_synthetic.py', config, checkpoint,
                 device, cfg_options)


def load_start_code_diffusion(config: str | Path | Config, checkpoint: str | Path, device: str = 'cpu',
                              cfg_options: dict[str, Any] | None = None) -> StartCodeDiffusion:
    """Load a trained start-code model; arguments as in :func:`load_animator`.

    Returns:
        StartCodeDiffusion: In evaluation mode.

    Raises:
        UserError: If a file cannot be used or holds another kind of model.
    """
    return _load(StartCodeDiffusion, 'a start-code model, such as configs/leo/start_code_synthetic.py', config,
                 checkpoint, device, cfg_options)


def load_start_frame_diffusion(config: str | Path | Config, checkpoint: str | Path, device: str = 'cpu',
                               cfg_options: dict[str, Any] | None = None) -> StartFrameDiffusion:
    """Load a trained start-frame model, of either stage; arguments as in :func:`load_animator`.

    Returns:
        StartFrameDiffusion: In evaluation mode.

    Raises:
        UserError: If a file cannot be used or holds another kind of model.
    """
    return _load(StartFrameDiffusion, 'a start-frame model, such as configs/leo/start_frame_synthetic.py', config,
                 checkpoint, device, cfg_options)


def checkpoint_file(path: str | Path) -> Path:
    """A checkpoint, or the newest whole one of a work dir.

    Args:
        path (str | Path): A file or a folder.

    Returns:
        Path: The file.

    Raises:
        UserError: If the folder holds no checkpoint, or damaged ones only.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    newest = newest_checkpoint(path, lambda warning: print_log(warning, logger='current', level=logging.WARNING))
    if newest is None:
        raise UserError(f'the folder {path} holds no checkpoint; pass one, or the work dir of a training')
    return newest[0]


def change_sampler(config: Config, num_inference_steps: int | None = None, eta: float | None = None) -> Config:
    """Change how a motion diffusion samples; a config that names no sampler starts from ``DDIMSampler``.

    Args:
        config (Config): The motion diffusion's config; it is not changed.
        num_inference_steps (int, optional): Steps to take.
        eta (float, optional): Share of fresh noise in every step of DDIM.

    Returns:
        Config: The config with the changes.
    """
    config = copy.deepcopy(config)
    given = dict(num_inference_steps=num_inference_steps, eta=eta)
    changes = {key: value for key, value in given.items() if value is not None}
    if changes:
        config.model.sampler = {**(config.model.get('sampler') or dict(type='DDIMSampler')), **changes}
    return config


def animator_of(config: Config, given: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Which animator belongs to a motion diffusion: the one given, else the one its config names.

    Args:
        config (Config): The motion diffusion's config; its top-level ``animator`` may hold ``config`` and
            ``checkpoint``.
        given (Mapping, optional): The same two keys, from the command line; None leaves one to the config.

    Returns:
        dict[str, str]: ``config`` and ``checkpoint``.

    Raises:
        UserError: If one of them is named nowhere.
    """
    named = {**(config.get('animator') or {}), **{key: value for key, value in (given or {}).items() if value}}
    for key in ANIMATOR_KEYS:
        if not named.get(key):
            raise UserError(f'no animator {key} is known; pass --animator-{key}, or add animator=dict(config=..., '
                            f'checkpoint=...) to {config.filename or "the config"}')
    return {key: named[key] for key in ANIMATOR_KEYS}


def _load(kind: type[nn.Module], wanted: str, config: str | Path | Config, checkpoint: str | Path, device: str,
          cfg_options: dict[str, Any] | None) -> nn.Module:
    model = init_model(config, checkpoint_file(checkpoint), device, cfg_options)
    if not isinstance(model, kind):
        name = getattr(config, 'filename', config)
        raise UserError(f'{name} builds {type(model).__name__}; here a config of {wanted}, is needed')
    return model
