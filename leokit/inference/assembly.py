"""The trained models of LEO from one config that names them, each checked to belong to the others.

A LEO config has no model of its own. Its top-level keys ``animator``, ``motion_diffusion``, ``start_code``,
``start_frame`` and ``start_frame_sr`` are ``dict(config=..., checkpoint=..., cfg_options=...)``, the last entry
optional, or None to do without the model. ``long_video`` (a config in LONG_VIDEO), if set, replaces the strategy of the
motion diffusion's own config.
"""

from pathlib import Path
from typing import Any, Mapping, NamedTuple

from mmengine.config import Config
from torch import nn

from leokit.inference.generation import check_same_codes
from leokit.inference.loading import (
    load_animator, load_motion_diffusion, load_start_code_diffusion, load_start_frame_diffusion)
from leokit.inference.start_frame_sampler import StartFramePainter
from leokit.inference.unconditional import check_painter
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion
from leokit.utils import UserError
from leokit.utils.config import read_config

LOADERS = dict(animator=load_animator, motion_diffusion=load_motion_diffusion, start_code=load_start_code_diffusion,
               start_frame=load_start_frame_diffusion, start_frame_sr=load_start_frame_diffusion)
NEEDED, OPTIONAL = ('config', 'checkpoint'), 'cfg_options'


class Parts(NamedTuple):
    """What LEO is made of; None is what it does without.

    Attributes:
        animator (Animator): Encodes and renders.
        motion_diffusion (MotionDiffusion | None): Draws motion.
        start_code (StartCodeDiffusion | None): Draws starting codes.
        painter (StartFramePainter | None): Draws starting frames.
    """

    animator: Animator
    motion_diffusion: MotionDiffusion | None = None
    start_code: StartCodeDiffusion | None = None
    painter: StartFramePainter | None = None


def names_models(config: Mapping[str, Any]) -> bool:
    """Whether a config names trained models instead of building one: a LEO config."""
    return 'model' not in config and bool(config.get('animator'))


def load_named_animator(config: str | Path | Config, checkpoint: str | Path | None = None, device: str = 'cpu',
                        cfg_options: dict[str, Any] | None = None) -> tuple[Animator, str | Path]:
    """An animator from its own config and checkpoint, or the one that a LEO config names.

    Args:
        config (str | Path | Config): The animator's config, or a LEO config.
        checkpoint (str | Path, optional): Its weights or work dir; None for a LEO config.
        device (str): Where it goes.
        cfg_options (dict, optional): Overrides of the config, with dotted keys.

    Returns:
        tuple: The animator in evaluation mode, and where its weights came from.

    Raises:
        UserError: If a checkpoint is missing or one too many, or a file cannot be used.
    """
    config = read_config(config, cfg_options)
    source = config.filename or 'the config'
    if not names_models(config):
        if checkpoint is None:
            raise UserError(f'{source} builds an animator, so its checkpoint is needed; name it, or its work dir')
        return load_animator(config, checkpoint, device), checkpoint
    if checkpoint is not None:
        raise UserError(f'{source} names its checkpoints; leave {checkpoint} out, or pass the config of the animator')
    entry = _named(config, 'animator')
    return load_animator(entry['config'], entry['checkpoint'], device, dict(entry.get(OPTIONAL) or {})), \
        entry['checkpoint']


def load_parts(config: str | Path | Config, device: str = 'cpu', *, amp: bool = False,
               cfg_options: dict[str, Any] | None = None) -> Parts:
    """Load what a LEO config names.

    Args:
        config (str | Path | Config): The config, such as ``configs/leo/leo_synthetic.py``.
        device (str): Where to compute.
        amp (bool): Draw starting frames under bfloat16 autocast.
        cfg_options (dict, optional): Overrides of the config, with dotted keys.

    Returns:
        Parts: The models, in evaluation mode.

    Raises:
        UserError: If the config names no models, a file cannot be used, or the models do not belong together.
    """
    config = read_config(config, cfg_options)
    if not names_models(config):
        raise UserError(f'{config.filename or "the config"} names no trained models; pass one such as '
                        'configs/leo/leo_synthetic.py')
    named = {part: _named(config, part) for part in LOADERS if config.get(part)}
    configs = {part: read_config(entry['config'], dict(entry.get(OPTIONAL) or {})) for part, entry in named.items()}
    if config.get('long_video') and configs.get('motion_diffusion', {}).get('model'):
        configs['motion_diffusion'].model.long_video = config.long_video
    models = {part: LOADERS[part](configs[part], entry['checkpoint'], device) for part, entry in named.items()}
    return assemble(models, {part: entry['checkpoint'] for part, entry in named.items()}, amp=amp)


def assemble(models: Mapping[str, nn.Module], sources: Mapping[str, str | Path] | None = None, *,
             amp: bool = False) -> Parts:
    """Put models together that belong together.

    Args:
        models (Mapping): By the keys of a LEO config; ``animator`` at least.
        sources (Mapping, optional): Where each came from, for the message.
        amp (bool): Draw starting frames under bfloat16 autocast.

    Returns:
        Parts: The models.

    Raises:
        UserError: If one was trained on the codes of another animator than the one given, or sizes differ.
    """
    names = {part: f'the {part}' + (f' {sources[part]}' if sources and part in sources else '') for part in LOADERS}
    animator = models['animator']
    for part in ('motion_diffusion', 'start_code'):
        if models.get(part) is not None:
            check_same_codes(animator, models[part], animator_name=names['animator'], model_name=names[part])
    painter = None
    if models.get('start_frame') is not None:
        second = models.get('start_frame_sr')
        for part, stage in dict(start_frame=models['start_frame'], start_frame_sr=second).items():
            if stage is not None:  # before the stages are compared with each other, which have no names there
                check_same_codes(animator, stage, animator_name=names['animator'], model_name=names[part])
        painter = StartFramePainter(models['start_frame'], second, amp=amp)
        check_painter(animator, painter, animator_name=names['animator'], painter_name=names['start_frame'],
                      second_name=names['start_frame_sr'])
    return Parts(animator, models.get('motion_diffusion'), models.get('start_code'), painter)


def _named(config: Config, part: str) -> dict[str, Any]:
    """The entry of a config for one model."""
    entry = config[part]
    source = config.filename or 'the config'
    if not isinstance(entry, Mapping) or not all(entry.get(key) for key in NEEDED):
        raise UserError(f'{part} in {source} must be dict(config=..., checkpoint=...), or None to do without it; got '
                        f'{entry!r}')
    unknown = sorted(set(entry) - {*NEEDED, OPTIONAL})
    if unknown:
        raise UserError(f'{part}.{unknown[0]} in {source} is unknown; the keys are {", ".join((*NEEDED, OPTIONAL))}')
    if part != 'animator' and not Path(entry['checkpoint']).exists():
        raise UserError(f'the checkpoint {entry["checkpoint"]} of {part} in {source} does not exist; train it with '
                        f'leokit train {entry["config"]}, or do without it: --cfg-options {part}=None')
    return entry
