"""Writing model folders (:mod:`leokit.utils.model_folder`) from loaded models."""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from leokit.engine import TRAINING_ONLY
from leokit.engine.weight_loading import conventions, in_modules
from leokit.inference.leo import LEO
from leokit.inference.model_card import model_card
from leokit.inference.precision import DTYPES, TOLERANCE, Rounding, round_weights
from leokit.models import Animator, MotionDiffusion, StartFrameDiffusion
from leokit.models.lia_checkpoint import USAGE_KEYS
from leokit.utils import UserError
from leokit.utils.checkpoints import NAMES_FILE
from leokit.utils.config_data import config_to_data
from leokit.utils.files import clear_write_errors, file_sha256, part_path, remove, replace, write_bytes, write_json
from leokit.utils.hashing import animator_hash
from leokit.utils.model_folder import (
    CARD_FILE, CONFIG_FILE, FORMAT_VERSION, LEO_KIND, LIBRARY, SINGLE_PART, STORED_HALVES, WEIGHTS_FILE,
    is_model_folder)
from leokit.version import __version__

HASH_KEY = 'animator_hash'  # buffer of the models that are trained on motion codes
COLOR = dict(color='RGB', value_range=[-1, 1])


class PackReport(NamedTuple):
    """What was written: the folder, its size, and the effect of the precision by part."""

    folder: Path
    num_bytes: int
    roundings: dict[str, Rounding]


def pack(model: nn.Module | LEO, folder: str | Path, *, dtype: str = 'float16', name: str | None = None,
         card: str | None = None, directions: str | Path | None = None, benchmark: str | None = None,
         tolerance: float | None = None, overwrite: bool = False) -> PackReport:
    """Write a model, or all models of LEO, to a model folder.

    An animator that is rounded becomes another animator; the models of its codes are told its new hash, so that they
    still belong together.

    Args:
        model (nn.Module | LEO): Models that :func:`leokit.load` returned.
        folder (str | Path): The folder to write.
        dtype (str): ``'float16'``, ``'bfloat16'`` or ``'float32'``; see :mod:`leokit.inference.precision`.
        name (str, optional): Name of the model in its card; the folder's by default.
        card (str, optional): Text of the card; one that lists the facts by default.
        directions (str | Path, optional): JSON file that names directions of the motion space; by default the one next
            to the animator's checkpoint, if there is one.
        benchmark (str, optional): Name of the shipped config whose benchmark ``leokit test`` runs for LEO.
        tolerance (float, optional): Of :func:`~leokit.inference.precision.round_weights`.
        overwrite (bool): Replace an existing model folder.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        if not overwrite:
            raise UserError(f'{folder} already exists; name another folder, or pass --overwrite')
        if not is_model_folder(folder):
            raise UserError(f'{folder} is not a model folder, so it is not replaced; name another folder')
    if dtype not in DTYPES:
        raise UserError(f'dtype={dtype!r} is unknown; use {", ".join(DTYPES)}')
    models = models_of(model)
    roundings = {part: round_weights(each, DTYPES[dtype], tolerance=tolerance or TOLERANCE)
                 for part, each in models.items()}
    _adopt_animator(roundings)
    index = _index(model, models, name or folder.resolve().name, benchmark)
    temporary = part_path(folder)
    with clear_write_errors(folder):
        remove(temporary)
        temporary.mkdir(parents=True)
        try:
            _write_weights(temporary / WEIGHTS_FILE, roundings, prefixed=isinstance(model, LEO))
            index['weights'] = dict(file=WEIGHTS_FILE, sha256=file_sha256(temporary / WEIGHTS_FILE))
            write_json(temporary / CONFIG_FILE, index)
            write_bytes(temporary / CARD_FILE, (card or model_card(index)).encode())
            _copy_directions(directions, models, temporary)
            if folder.exists():
                remove(folder)
            replace(temporary, folder)
        except BaseException:
            remove(temporary)
            raise
    return PackReport(folder, sum(file.stat().st_size for file in folder.iterdir()), roundings)


def models_of(model: nn.Module | LEO) -> dict[str, nn.Module]:
    """The models of LEO by their part, or the one model as ``model``."""
    if not isinstance(model, LEO):
        return {SINGLE_PART: model}
    parts = dict(animator=model.animator)
    if model.motion_diffusion is not None:
        parts['motion_diffusion'] = model.motion_diffusion
    if model.start_code is not None:
        parts['start_code'] = model.start_code
    if model.start_frame_sampler is not None:
        parts.update(zip(('start_frame', 'start_frame_sr'), model.start_frame_sampler.stages))
    return parts


def _adopt_animator(roundings: Mapping[str, Rounding]) -> None:
    """Give the models of the codes the hash of the rounded animator."""
    if 'animator' not in roundings:
        return
    state = {key: tensor.float() if tensor.dtype in STORED_HALVES else tensor
             for key, tensor in roundings['animator'].state.items()}
    digest = torch.tensor(list(bytes.fromhex(animator_hash(state))), dtype=torch.uint8)
    for part, rounding in roundings.items():
        if part != 'animator' and bool(rounding.state[HASH_KEY].any()):
            rounding.state[HASH_KEY] = digest.clone()


def _index(model: nn.Module | LEO, models: Mapping[str, nn.Module], name: str, benchmark: str | None) -> dict[str, Any]:
    parts = {part: dict(config=_config_data(each), meta=_meta(each)) for part, each in models.items()}
    sizes = {each.size for each in models.values() if isinstance(each, (Animator, StartFrameDiffusion))}
    animator = next((each for each in models.values() if isinstance(each, Animator)), None)
    rates = [each.fps for each in models.values() if isinstance(each, MotionDiffusion)]
    usage = {key: getattr(animator, key, None) for key in USAGE_KEYS}
    facts = dict(size=animator.size if animator else max(sizes, default=None), **usage,
                 fps=rates[0] if rates else None, **COLOR)
    index = dict(library_name=LIBRARY, format_version=FORMAT_VERSION, leokit_version=__version__, name=name,
                 kind=LEO_KIND if isinstance(model, LEO) else type(model).__name__,
                 **{key: value for key, value in facts.items() if value is not None}, parts=parts)
    if isinstance(model, LEO):
        config = model.cfg or {}
        index['long_video'] = _plain(config.get('long_video'))
        if benchmark:
            index['benchmark'] = benchmark
    return index


def _config_data(model: nn.Module) -> dict[str, Any]:
    """The config that rebuilds a model, without what only its training needs."""
    config = getattr(model, 'cfg', None)
    if config is None:
        raise UserError(f'the {type(model).__name__} was built without a config, which a model folder holds; load it '
                        'with leokit.load')
    data = config_to_data(copy.deepcopy(config), references=False)
    settings = {key: value for key, value in data['model'].items() if key != 'training'}
    preprocessor = settings.get('data_preprocessor')
    if preprocessor:
        settings['data_preprocessor'] = {key: value for key, value in preprocessor.items() if key != 'transforms'}
    usage = {key: getattr(model, key) for key in USAGE_KEYS} if isinstance(model, Animator) else {}
    return dict(default_scope=data.get('default_scope', 'leokit'), model=_plain(settings), **usage)


def _meta(model: nn.Module) -> dict[str, Any]:
    meta = dict(model=type(model).__name__, conventions=conventions(model))
    if isinstance(model, Animator):
        meta['data'] = dict(crop=model.crop)
    return _plain(meta)


def _plain(value: Any) -> Any:
    """JSON's types; a :class:`UserError` for numbers that JSON does not have."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except ValueError as error:
        raise UserError(f'the config holds a number that is not finite ({value}), which {CONFIG_FILE} cannot hold; '
                        'leave it out') from error


def _write_weights(path: Path, roundings: Mapping[str, Rounding], *, prefixed: bool) -> None:
    from safetensors.torch import save  # not above: only this function needs it
    tensors: dict[str, Tensor] = {}
    for part, rounding in roundings.items():
        for key, tensor in rounding.state.items():
            if not in_modules(key, TRAINING_ONLY):
                tensors[f'{part}.{key}' if prefixed else key] = tensor.clone()
    path.write_bytes(save(tensors, metadata=dict(format='pt')))  # save_file hides it from other users


def _copy_directions(directions: str | Path | None, models: Mapping[str, nn.Module], folder: Path) -> None:
    if directions is None:
        animator = next((each for each in models.values() if isinstance(each, Animator)), None)
        checkpoint = getattr(animator, 'checkpoint', None)
        candidates = [] if checkpoint is None else [
            Path(checkpoint).with_suffix('.' + NAMES_FILE), Path(checkpoint).parent / NAMES_FILE]
        directions = next((path for path in candidates if path.is_file()), None)
    if directions is not None:
        shutil.copyfile(directions, folder / NAMES_FILE)
