"""Loading a state dict into a model: all of it, or an error that names what does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from leokit.deprecation import CONVENTIONS
from leokit.utils import UserError
from leokit.utils.errors import format_list

# Modules that only training needs; a checkpoint may or may not hold them.
TRAINING_ONLY = ('discriminator', 'crop_discriminator', 'losses')


def load_weights(model: nn.Module, state_dict: Mapping[str, Tensor], *, source: str, strict: bool = True,
                 optional: Sequence[str] = (), meta: Mapping[str, Any] | None = None) -> list[str]:
    """Load a state dict into a model; nothing is loaded if keys, shapes or conventions differ.

    Args:
        model (nn.Module): The model, not wrapped.
        state_dict (Mapping[str, Tensor]): The weights.
        source (str): Where they come from, for error messages.
        strict (bool): False loads whatever fits, unless that is less than a tenth of the model's keys.
        optional (Sequence[str]): Names of modules, at any depth, whose keys may be missing or unexpected.
        meta (Mapping, optional): The checkpoint's ``meta``: its conventions are compared with the model's.

    Returns:
        list[str]: Keys that were missing, unexpected or of another shape, and tolerated.
    """
    own = model.state_dict()
    recent = {name for module in model.modules() for name in getattr(module, 'optional_keys', ())}
    own = {key: value for key, value in own.items() if key in state_dict or key.rpartition('.')[2] not in recent}
    missing = [key for key in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in own]
    resized = [key for key in own if key in state_dict and own[key].shape != state_dict[key].shape]
    tolerated = [key for key in (*missing, *unexpected, *resized) if not strict or in_modules(key, optional)]
    missing, unexpected, resized = (
        [key for key in keys if not in_modules(key, optional)] for keys in (missing, unexpected, resized))
    if strict and (missing or unexpected or resized):
        shapes = [f'{key}: {tuple(state_dict[key].shape)} instead of {tuple(own[key].shape)}' for key in resized]
        parts = [f'{len(keys)} {label} ({format_list(keys)})' for label, keys in (
            ('keys are missing', missing), ('are unexpected', unexpected), ('have another shape', shapes)) if keys]
        raise UserError(f'{source} does not fit the model: {"; ".join(parts)}; '
                        f'{_likely_cause(model, own, state_dict, meta or {})}')
    fitting = len(own) - len(set(tolerated) & own.keys())
    if not strict and 10 * fitting < len(own):
        raise UserError(f'{source} does not fit the model: only {fitting} of its {len(own)} keys match; '
                        f'{_likely_cause(model, own, state_dict, meta or {})}')
    check_values(model, state_dict, source)
    if strict:
        _check_conventions(conventions(model), (meta or {}).get('conventions', {}), source)
    left_out = set(tolerated)
    model.load_state_dict({key: state_dict[key] for key in own if key not in left_out}, strict=False)
    return tolerated


def in_modules(key: str, modules: Sequence[str]) -> bool:
    """True if a state-dict key belongs to one of the named modules, at any depth."""
    return any(f'.{name}.' in f'.{key}' for name in modules)


def conventions(model: nn.Module) -> dict[str, Any]:
    """Settings that a model's weights depend on without showing it, such as the grid that flows are added to.

    Any module may have an attribute ``conventions``, a dict of plain values.
    """
    found: dict[str, Any] = {}
    for module in model.modules():
        found.update(getattr(module, 'conventions', {}))
    return found


def check_values(model: nn.Module, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Raise for weights of another kind of number, or that are not finite."""
    own, parameters = model.state_dict(), dict(model.named_parameters())
    for key in own.keys() & state_dict.keys():
        value = state_dict[key]
        if own[key].is_floating_point() and not value.is_floating_point():
            raise UserError(f'{source} is damaged: {key} has numbers of type {value.dtype}, not of {own[key].dtype}')
        # the sum is finite unless a value is not, or it overflows; it is the faster check
        if key in parameters and not (value.sum().isfinite() or torch.isfinite(value).all()):
            raise UserError(f'{source} is damaged: {key} has values that are not finite; use another checkpoint')


def _check_conventions(own: Mapping[str, Any], other: Mapping[str, Any], source: str) -> None:
    other = {CONVENTIONS.get(name, name): value for name, value in other.items()}
    for name, value in own.items():
        if other.get(name, value) != value:
            raise UserError(f'{source} was trained with {name}={other[name]!r}, but the config builds a model with '
                            f'{name}={value!r}, under which these weights are wrong; '
                            f'set {name} to {other[name]!r} in the config')


def _likely_cause(model: nn.Module, own: Mapping[str, Tensor], other: Mapping[str, Tensor],
                  meta: Mapping[str, Any]) -> str:
    name = type(model).__name__
    if meta.get('model', name) != name:
        return f'it is a checkpoint of {meta["model"]}, and the config builds {name}'
    sizes = {key: meta[key] for key in ('size', 'appearance_dim', 'motion_dim') if key in meta}
    if sizes:  # of a converted checkpoint, which comes without a config
        return f'its model has {", ".join(f"{key}={value}" for key, value in sizes.items())}; set these in the config'
    prefixes = [prefix for prefix in ('module.', '_orig_mod.') if all(key.startswith(prefix) for key in other)]
    if prefixes:
        return f'all its keys begin with {prefixes[0]!r}, so it was saved from a wrapped model; remove the prefix first'
    if not set(own) & set(other):
        return f'the two share no key, so it is most likely the checkpoint of another model than {name}'
    return 'most likely the config differs from the one of its training, which is saved in the work dir'
