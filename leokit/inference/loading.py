"""Loading trained models: :func:`load` is the one way from a config, a work dir or a checkpoint to a usable model.

A LEO config has no model of its own. Its top-level keys ``animator``, ``motion_diffusion``, ``start_code``,
``start_frame`` and ``start_frame_sr`` are ``dict(config=..., checkpoint=...)``, optionally with ``cfg_options``, or
None; ``long_video`` (a config in LONG_VIDEO), if set, replaces the strategy in the motion diffusion's own config.
"""

import copy
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from torch import nn

from leokit.engine import TRAINING_ONLY, explain_build_errors, load_weights
from leokit.engine.data_record import training_crop
from leokit.inference.leo import LEO
from leokit.inference.manipulation import DirectionNames
from leokit.inference.model_source import ModelSource, carries_config, find_source, is_leo_config
from leokit.inference.start_frame_sampler import StartFrameSampler
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.registry import MODELS
from leokit.utils import UserError
from leokit.utils.config import read_config
from leokit.utils.config_data import config_from_checkpoint
from leokit.utils.devices import check_device
from leokit.utils.seeds import keep_random_state
from leokit.utils.model_folder import find_model

LEO_PARTS = dict(animator=Animator, motion_diffusion=MotionDiffusion, start_code=StartCodeDiffusion,
                 start_frame=StartFrameDiffusion, start_frame_sr=StartFrameDiffusion)
UNCONDITIONAL_PARTS = ('start_code', 'start_frame', 'start_frame_sr')  # LEO does everything else without them
ENTRY_KEYS = ('config', 'checkpoint')  # of a part in a LEO config, with cfg_options
EXAMPLES = dict(Animator='lia_synthetic_64', MotionDiffusion='lmdm_synthetic',
                StartCodeDiffusion='start_code_synthetic', StartFrameDiffusion='start_frame_synthetic')
TRAINING_KEY = 'training'  # of a model's config: losses, discriminator and what else only training needs
ModelT = TypeVar('ModelT', bound=nn.Module | LEO)


@overload
def load(name_or_config: str | Path | Config, checkpoint: str | Path | None = ..., device: str | torch.device = ...,
         cfg_options: Mapping[str, Any] | None = ..., amp: bool = ..., *, expect: type[ModelT]) -> ModelT: ...


@overload
def load(name_or_config: str | Path | Config, checkpoint: str | Path | None = ..., device: str | torch.device = ...,
         cfg_options: Mapping[str, Any] | None = ..., amp: bool = ..., *, expect: None = ...) -> Any: ...


def load(name_or_config: str | Path | Config, checkpoint: str | Path | None = None,
         device: str | torch.device = 'cpu', cfg_options: Mapping[str, Any] | None = None, amp: bool = False, *,
         expect: type[nn.Module] | type[LEO] | None = None) -> nn.Module | LEO:
    """Load a trained model, or all models of LEO: ``leo = leokit.load('configs/leo/leo_celebv.py', device='cuda')``.

    Averaged weights are loaded where training kept an average. ``model.training`` of the config (losses, discriminator)
    is not built.

    Args:
        name_or_config (str | Path | Config): The name of a shipped model (``'leo_synthetic'``) or of one of its parts
            (``'leo_synthetic/animator'``), a model folder, or ``'hf://USER/NAME'``; a config file, the name of a
            shipped config (``'lia_celebv_256'``) or a config; a work dir: its newest checkpoint with the config saved
            there; or a checkpoint: the config that it carries is read as data, so modules in its ``custom_imports``
            must be imported before.
        checkpoint (str | Path, optional): Checkpoint, or a work dir for its newest one. Without it a config gives a
            model with initial weights. A LEO config names its checkpoints; as long as those of starting codes and
            frames do not exist, LEO does everything but generate unconditionally.
        device (str | torch.device): ``'cpu'``, ``'cuda'``, ``'cuda:1'``, ...
        cfg_options (Mapping, optional): Overrides of the config, with dotted keys.
        amp (bool): For LEO: encode, render and sample starting frames under bfloat16 autocast.
        expect (type, optional): Require trained weights of this class of model, or :class:`LEO`. Of a LEO config, load
            only the model of this class. Type checkers then know the class of the result.

    Returns:
        nn.Module | LEO: In evaluation mode, with the attributes ``cfg`` (its config), ``checkpoint`` (file of its
        weights, or None) and ``training_data`` (see :mod:`leokit.engine.data_record`).
    """
    device = check_device(device)
    source = find_source(name_or_config, checkpoint, cfg_options)
    if is_leo_config(source.config):
        if expect in (None, LEO):
            return _load_leo(source.config, device, amp)
        source = _part_source(source.config, _part_of(expect))
    if expect is LEO:
        raise UserError(f'{source.name} names no trained models; pass a config such as leo_synthetic')
    if amp:
        raise UserError('amp is an option of LEO; run a single model under torch.autocast')
    return _load_model(source, device, expect)


def change_sampler(config: Config, num_inference_steps: int | None = None, eta: float | None = None, *,
                   sampler: str | None = None) -> Config:
    """A copy of a motion diffusion's config with other sampling options.

    Args:
        config (Config): The config; without a sampler it has ``DDIMSampler``.
        num_inference_steps (int, optional): Sampling steps.
        eta (float, optional): See ``DDIMSampler``.
        sampler (str, optional): Name in SAMPLERS of another sampler, with its own defaults.
    """
    config = copy.deepcopy(config)
    changes = {key: value for key, value in (('num_inference_steps', num_inference_steps), ('eta', eta))
               if value is not None}
    if sampler is not None:
        config.model.sampler = dict(type=sampler, **changes)
    elif changes:
        config.model.sampler = {**(config.model.get('sampler') or dict(type='DDIMSampler')), **changes}
    return config


def animator_of(config: Config, given: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The animator that belongs to a motion diffusion.

    Args:
        config (Config): The motion diffusion's config; its top-level ``animator`` may hold ``config`` and
            ``checkpoint``.
        given (Mapping, optional): The same two keys, which take precedence unless None. A work dir, a checkpoint or a
            model of a model folder stands for both.

    Returns:
        dict[str, str]: ``config`` and ``checkpoint``.
    """
    named = {**(config.get('animator') or {}), **{key: value for key, value in (given or {}).items() if value}}
    for key, other in (ENTRY_KEYS, ENTRY_KEYS[::-1]):
        if not named.get(key) and named.get(other) and carries_config(named[other]):
            named[key] = named[other]
    for key in ENTRY_KEYS:
        if not named.get(key):
            raise UserError(f'no animator {key} is known; pass --animator-{key}, or add animator=dict(config=..., '
                            f'checkpoint=...) to {config.filename or "the config"}')
    return {key: named[key] for key in ENTRY_KEYS}


def build_model(config: Config) -> nn.Module:
    """The model of a config with initial weights, without what only training needs."""
    init_default_scope(config.get('default_scope', 'leokit'))
    with explain_build_errors(config):
        return MODELS.build({key: part for key, part in config.model.items() if key != TRAINING_KEY})


def _load_model(source: ModelSource, device: torch.device, expect: type[nn.Module] | None) -> nn.Module:
    config = source.config
    if 'model' not in config:
        raise UserError(f"{source.name} has no 'model'")
    if source.content is None:
        if expect is not None:
            raise UserError(f'{source.name} builds a model, so its checkpoint is needed; pass it, or its work dir')
        print_log(f'{source.name}: no checkpoint, the model has initial weights', logger='current',
                  level=logging.WARNING)
    # initial weights that are about to be replaced must not advance the caller's random state
    unchanged = keep_random_state() if source.content is not None else nullcontext()
    with unchanged:
        model = build_model(config)
    if expect is not None and not isinstance(model, expect):
        example = f', such as {EXAMPLES[expect.__name__]}' if expect.__name__ in EXAMPLES else ''
        raise UserError(f'{source.name} builds {type(model).__name__}; pass a config of {expect.__name__}{example}')
    if source.content is not None:
        load_weights(model, source.content['state_dict'], source=str(source.file), optional=TRAINING_ONLY,
                     meta=source.content.get('meta'))
    model.cfg, model.checkpoint = config, source.file
    meta = (source.content or {}).get('meta') or {}
    model.training_data = meta.get('data') or {}
    if isinstance(model, Animator):
        carried = _training_config(source)
        model.crop = model.training_data.get('crop') or carried.get('crop') or training_crop(carried)
        model.face_crop = config.get('face_crop') or carried.get('face_crop')
        model.transfer_mode = config.get('transfer_mode') or carried.get('transfer_mode') or 'relative'
    return model.to(device).eval()


def _training_config(source: ModelSource) -> Config:
    """The config that a checkpoint carries: the given one may have been changed, or be of another training."""
    try:
        return read_config(config_from_checkpoint(source.content or {}, str(source.file)))
    except UserError:  # it carries none
        return source.config


def _load_leo(config: Config, device: torch.device, amp: bool) -> LEO:
    parts = [part for part in LEO_PARTS if config.get(part)]
    untrained = {part: problem for part in UNCONDITIONAL_PARTS if part in parts
                 if (problem := _missing_checkpoint(config, part))}
    if untrained:  # none of them is of use alone
        parts = [part for part in parts if part not in UNCONDITIONAL_PARTS]
        print_log(f'unconditional generation is not available: {"; ".join(untrained.values())}', logger='current',
                  level=logging.WARNING)
    sources = {part: _part_source(config, part) for part in parts}
    models = {part: _load_model(source, device, LEO_PARTS[part]) for part, source in sources.items()}
    start_frame, super_resolution = models.get('start_frame'), models.get('start_frame_sr')
    animator = models['animator']
    leo = LEO(animator, models.get('motion_diffusion'), start_code=models.get('start_code'),
              start_frame_sampler=start_frame and StartFrameSampler(start_frame, super_resolution, amp=amp),
              directions=DirectionNames.of_checkpoint(animator.checkpoint, animator.motion_dim), amp=amp)
    leo.cfg, leo.untrained = config, untrained
    return leo


def _missing_checkpoint(config: Config, part: str) -> str:
    """A sentence about the checkpoint of a part that has not been trained yet; '' if it is there."""
    entry = _check_entry(config, part)
    checkpoint = entry['checkpoint']
    if find_model(checkpoint) or Path(checkpoint).exists():
        return ''
    return (f'the checkpoint {checkpoint} of {part} in {config.filename or "the config"} does not exist; train it '
            f'with leokit train {entry["config"]}')


def _part_of(kind: type[nn.Module]) -> str:
    for part, known in LEO_PARTS.items():
        if issubclass(kind, known):
            return part
    raise ValueError(f'expect={kind.__name__} is no model of LEO; these are '
                     f'{", ".join(each.__name__ for each in dict.fromkeys(LEO_PARTS.values()))}')


def _check_entry(config: Config, part: str) -> Mapping[str, Any]:
    """The part's entry in a LEO config, if it has the right keys."""
    source, entry = config.filename or 'the config', config.get(part)
    if not isinstance(entry, Mapping) or not all(entry.get(key) for key in ENTRY_KEYS):
        raise UserError(f'{part} in {source} must be dict(config=..., checkpoint=...), or None to do without it; got '
                        f'{entry!r}')
    unknown = sorted(set(entry) - {*ENTRY_KEYS, 'cfg_options'})
    if unknown:
        raise UserError(f'{part}.{unknown[0]} in {source} is unknown; the keys are '
                        f'{", ".join((*ENTRY_KEYS, "cfg_options"))}')
    return entry


def _part_source(config: Config, part: str) -> ModelSource:
    """The config and checkpoint of one model of LEO."""
    entry = _check_entry(config, part)
    if part != 'animator' and (problem := _missing_checkpoint(config, part)):
        raise UserError(f'{problem}, or do without it: --cfg-options {part}=None')
    found = find_source(entry['config'], entry['checkpoint'], entry.get('cfg_options'))
    if part == 'motion_diffusion' and config.get('long_video') and 'model' in found.config:
        found.config.model.long_video = config.long_video
    return found
