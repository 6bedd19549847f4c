"""Trained animators at twice the resolution as checkpoints; :mod:`leokit.models.growing` has the method."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from leokit.engine.weight_loading import conventions, in_modules
from leokit.inference.loading import build_model, load
from leokit.inference.model_source import find_source
from leokit.models import Animator
from leokit.models.growing import grow
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint
from leokit.utils.config import read_config
from leokit.utils.config_data import config_to_data
from leokit.utils.seeds import keep_random_state
from leokit.version import __version__

CARRIED_MODULES = ('losses', 'crop_discriminator')  # of the training, which do not depend on the size


def grow_checkpoint(animator: str | Path, config: str | Path, target: str | Path, *, share: float = 0.0,
                    cfg_options: Mapping[str, Any] | None = None) -> str:
    """Write a trained animator at twice the resolution.

    The checkpoint holds the averaged weights where training kept an average, and the learned weights of losses; a
    discriminator of frames starts anew.

    Args:
        animator (str | Path): The trained LIA animator, see :func:`leokit.load`.
        config (str | Path): Config of the grown animator.
        target (str | Path): The file to write.
        share (float): Share of the image that the new level renders, see :func:`~leokit.models.growing.grow`.
        cfg_options (Mapping, optional): Overrides of the config, with dotted keys.

    Returns:
        str: A summary of what was written.
    """
    trained = load(animator, expect=Animator)
    wanted = read_config(config, dict(cfg_options or {}))
    if 'model' not in wanted:
        raise UserError(f"{config} has no 'model'; pass the config of an animator such as lia_synthetic_128")
    with keep_random_state():
        torch.manual_seed(0)  # the new weights are the same every time
        grown = build_model(wanted)
    if not isinstance(grown, Animator):
        raise UserError(f'{config} builds {type(grown).__name__}; pass the config of an animator')
    grow(trained, grown, share=share)
    meta = dict(model='Animator', cfg=config_to_data(wanted), conventions=conventions(grown),
                data=dict(trained.training_data, crop=trained.crop), source=str(animator), leokit_version=__version__)
    content = find_source(animator, None, None).content or {}
    carried = {key: value for key, value in content.get('state_dict', {}).items() if in_modules(key, CARRIED_MODULES)}
    state = {**carried, **grown.state_dict()}
    save_checkpoint(dict(meta=meta, state_dict=state), Path(target))
    return f'wrote {target}, the animator of {animator} grown from size {trained.size} to {grown.size}'
