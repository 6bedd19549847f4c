"""Mistakes in a component's config as one sentence: the type or argument, its position, and what was probably meant.

MMEngine's registries raise KeyError for an unknown type, and Python raises TypeError for an unknown argument; neither
says where in the config the mistake is.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mmengine.registry import Registry
from torch import nn

from leokit.utils.errors import UserError, suggest

# The whole config that is being built, for the position of a mistake in it.
CURRENT_CONFIG: ContextVar[Mapping[str, Any] | None] = ContextVar('CURRENT_CONFIG', default=None)
HINT = ' (LEOKIT_TRACEBACK=1 shows where)'
MAX_TYPES = 12  # types that a message lists
WRONG_CALL = re.compile(r"(?P<callee>[\w.<>]+)\(\) (?P<complaint>got an unexpected keyword argument '(?P<name>\w+)'|"
                        r'missing \d+ required .*|got multiple values for .*|takes .* but .* given)')


@contextmanager
def as_user_error(explain: Callable[[Exception], str | None]) -> Iterator[None]:
    """Turn errors of a build into :class:`UserError` with the sentence that ``explain`` gives; None keeps the error."""
    try:
        yield
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise UserError(sentence) from error


def explain_mistake(cfg: Any, registry: Registry) -> Callable[[Exception], str | None]:
    """For :func:`as_user_error`: explain what building ``cfg`` raised.

    Errors that are no mistake in the config, such as a KeyError inside a constructor, are not explained.
    """
    return lambda error: _explain(error, cfg, registry)


def _explain(error: Exception, cfg: Any, registry: Registry) -> str | None:
    if not isinstance(cfg, Mapping):
        return f"a part of the config must be a dict with a 'type', but here it is {cfg!r}"
    kind = cfg.get('type')
    if not isinstance(kind, str) and not callable(kind):
        return f"this part of the config has no 'type': {dict(cfg)}"
    with registry.switch_scope_and_registry(cfg.get('_scope_')) as registry:
        built = registry.get(kind) if isinstance(kind, str) else kind
    if built is None:
        return unknown_type(kind, registry)
    if isinstance(error, KeyError):
        return None
    name = getattr(built, '__name__', str(built))
    call = WRONG_CALL.match(str(error)) if isinstance(error, TypeError) else None
    if call is not None:
        owner, _, method = call['callee'].rpartition('.')
        if not owner or owner in [ancestor.__name__ for ancestor in getattr(built, '__mro__', ())]:
            return wrong_argument(call, name, getattr(built, method, built) if method != '__init__' else built)
    return f'{name}{position(name)} cannot be built: {error}{"" if isinstance(error, ValueError) else HINT}'


def unknown_type(name: str, registry: Registry) -> str:
    """The sentence about a type that is in neither a registry nor its parents."""
    label, known = registry.name, set()
    while registry is not None:
        known |= set(registry.module_dict)
        registry = registry.parent
    hint = suggest(name, known) or f'; it has {", ".join(sorted(known)[:MAX_TYPES]) or "no types at all"}'
    return f'{name!r}{position(name)} is not a type of the registry {label!r}{hint}'


def wrong_argument(call: re.Match, name: str, function: Callable | None) -> str:
    """The sentence about a :data:`WRONG_CALL` of ``function`` while the component ``name`` was built."""
    if call['name'] is None:
        return f'{name}{position(name)} cannot be built: {call["callee"]}() {call["complaint"]}'
    try:
        parameters = [each for each in inspect.signature(function).parameters.values() if each.name != 'self']
    except (TypeError, ValueError):  # built-in functions may have no signature
        return f'{name}{position(name)} takes no argument {call["name"]!r}'
    accepted = [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    hint = suggest(call['name'], accepted) or (f'; it takes {", ".join(accepted)}' if accepted else '')
    # the constructor of nn.Module has *args and **kwargs, and refuses them
    if not parameters or (not accepted and getattr(function, '__init__', None) is nn.Module.__init__):
        hint = f'; it takes none, so replace the whole entry: {{"_delete_": True, "type": "{name}"}}'
    return f'{name}{position(name)} takes no argument {call["name"]!r}{hint}'


def position(kind: str) -> str:
    """`` (at model.encoder)``: the first part of the current config that has this type."""
    return next((f' (at {path})' for path, part in _parts(CURRENT_CONFIG.get(), '')
                 if path and part.get('type') == kind), '')


def _parts(value: Any, path: str) -> Iterator[tuple[str, Mapping]]:
    children = []
    if isinstance(value, Mapping):
        yield path, value
        children = [(f'{path}.{key}' if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        children = [(f'{path}[{index}]', item) for index, item in enumerate(value)]
    for inner, item in children:
        yield from _parts(item, inner)
