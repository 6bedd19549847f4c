"""The models behind the page, loaded once, and how the commands name them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from leokit.inference import LEO, DirectionNames, animator_of, load
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError


class AppModels(NamedTuple):
    """Loaded models.

    Attributes:
        leo (LEO): The models; at least the animator.
        name (str): What the page calls them.
        animator_words (tuple[str, ...]): CONFIG and CHECKPOINT of ``leokit animate``, ``edit`` and ``manipulate``.
        generator_words (tuple[str, ...]): Those of ``leokit generate``; empty if nothing can be generated.
        option_words (tuple[str, ...]): Further words of all these commands: ``--cfg-options KEY=VALUE ...``.
    """

    leo: LEO
    name: str
    animator_words: tuple[str, ...]
    generator_words: tuple[str, ...] = ()
    option_words: tuple[str, ...] = ()


def load_models(model: str, checkpoint: str | None = None, device: str = 'cpu', *,
                cfg_options: Mapping[str, Any] | None = None, option_words: Sequence[str] = ()) -> AppModels:
    """Load what a config of LEO, a work dir, a checkpoint, or a config with its checkpoint names.

    Of an animator alone, the page can animate, edit and manipulate. A motion diffusion brings the animator that its
    config names, and can also generate.

    Args:
        model (str): As the first argument of :func:`leokit.load`.
        checkpoint (str, optional): As the second one.
        device (str): As the third one.
        cfg_options (Mapping, optional): Overrides of the config.
        option_words (Sequence[str]): The same as typed, for the command lines on the page.
    """
    loaded = load(model, checkpoint, device, cfg_options)
    words = (model, checkpoint) if checkpoint else (model,)
    options = ('--cfg-options', *option_words) if option_words else ()
    if isinstance(loaded, LEO):
        return AppModels(loaded, model, words, words, options)
    name = ' '.join(Path(word).name for word in words)
    if isinstance(loaded, Animator):
        _check_trained(loaded, model)
        return AppModels(LEO(loaded, directions=_names(loaded)), name, words, (), options)
    if isinstance(loaded, MotionDiffusion):
        _check_trained(loaded, model)
        if not any((loaded.cfg.get('animator') or {}).values()):
            raise UserError(f'{model} does not name the animator of its motion codes; pass a config or model folder of '
                            'LEO, which has both, such as leo_synthetic')
        named = animator_of(loaded.cfg)
        animator = load(named['config'], named['checkpoint'], device, expect=Animator)
        generator_words = words if checkpoint else (str(loaded.cfg.filename or model), str(loaded.checkpoint))
        return AppModels(LEO(animator, loaded, directions=_names(animator)), name,
                         (named['config'], named['checkpoint']), generator_words, options)
    raise UserError(f'{model} is a {type(loaded).__name__}, with which alone the page can do nothing; pass a config of '
                    'LEO such as leo_synthetic, or the work dir of an animator or of a motion diffusion')


def _names(animator: Animator) -> DirectionNames:
    return DirectionNames.of_checkpoint(animator.checkpoint, animator.motion_dim)


def _check_trained(model: Animator | MotionDiffusion, name: str) -> None:
    if model.checkpoint is None:
        raise UserError(f'{name} has no weights; pass its checkpoint or work dir too: leokit app {name} CHECKPOINT')
