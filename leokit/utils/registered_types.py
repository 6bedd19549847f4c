"""The check that a config read as data builds registered components only.

MMEngine imports and calls whatever function a ``type`` names, so a config from a checkpoint or a model folder must not
name others.
"""

import sys
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS as MMENGINE_MODELS

from leokit.utils.errors import UserError

# Registries of trained models, searched first: those of training and evaluation import all optimizers and metrics.
FIRST = ('MODELS', 'ENCODERS', 'MOTION_SPACES', 'FLOW_GENERATORS', 'WARP_OPERATORS', 'DIFFUSION_BACKBONES',
         'NOISE_SCHEDULERS', 'TIME_SAMPLERS', 'SAMPLERS', 'MOTION_CONDITIONS', 'LONG_VIDEO')


def check_registered(config: Config, source: str) -> None:
    """Raise a :class:`UserError` if the config's scope is not imported, or a type of its model is not registered.

    Args:
        config (Config): A config that was read as data.
        source (str): Its file, for error messages.
    """
    imports = (config.get('custom_imports') or {}).get('imports')
    hint = f'import {imports} first, or pass the config file' if imports else 'pass the config file'
    scope = config.get('default_scope', 'leokit')
    if not isinstance(scope, str) or (scope != 'leokit' and scope not in sys.modules):  # MMEngine would import it
        raise UserError(f'the config in {source} has default_scope={scope!r}, which is not imported; {hint}')
    _check_types([config.get('model'), config.get('long_video')], source, hint)


def _check_types(part: Any, source: str, hint: str) -> None:
    if isinstance(part, Mapping):
        kind = part.get('type')
        if kind is not None and not _is_registered(kind):
            raise UserError(f'the config in {source} has the type {kind!r}, which is not registered; {hint}')
    elif not isinstance(part, (list, tuple)):
        return
    for item in part.values() if isinstance(part, Mapping) else part:
        _check_types(item, source, hint)


def _is_registered(kind: Any) -> bool:
    from leokit import registry  # not above: the registries import leokit.utils
    scope, _, name = kind.rpartition('.') if isinstance(kind, str) else ('?', '', '')
    if scope not in ('', 'leokit', 'mmengine'):
        return False
    registries = [MMENGINE_MODELS]
    if scope != 'mmengine':
        registries += [getattr(registry, each) for each in dict.fromkeys((*FIRST, *registry.__all__))]
    for each in registries:
        each.import_from_location()
        if name in each.module_dict:
            return True
    return False
