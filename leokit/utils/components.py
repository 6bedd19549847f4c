"""Building a registered component that a user named on a command line."""

import inspect
from typing import Any, Mapping

from mmengine.registry import Registry

from leokit.utils.errors import UserError, suggest


def build_by_name(registry: Registry, name: str, options: Mapping[str, Any] | None = None, *, label: str = '') -> Any:
    """Build a component by its type.

    Args:
        registry (Registry): Where it is registered.
        name (str): Its type.
        options (Mapping, optional): Constructor arguments.
        label (str): What the error messages call such a component; the registry's name by default.

    Raises:
        UserError: If the type or an option is unknown, an option is missing, or a value does not fit.
    """
    options, label = dict(options or {}), label or registry.name
    component = registry.get(name)
    if component is None:
        known = sorted(registry.module_dict)
        raise UserError(f'there is no {label} {name}{suggest(name, known) or "; choose one of " + ", ".join(known)}')
    signature = inspect.signature(component).parameters.values()
    accepts_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature)
    parameters = {parameter.name: parameter for parameter in signature
                  if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)}
    unknown = [key for key in options if key not in parameters]
    if unknown and not accepts_any:
        raise UserError(f'the {label} {name} has no option {unknown[0]}{suggest(unknown[0], parameters)}; it has '
                        f'{", ".join(parameters) or "none"}')
    missing = [key for key, parameter in parameters.items()
               if key not in options and parameter.default is parameter.empty]
    if missing:
        raise UserError(f'the {label} {name} needs {", ".join(missing)}; pass them as options, KEY=VALUE')
    try:
        return registry.build(dict(options, type=name))
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        given = ', '.join(f'{key}={value!r}' for key, value in options.items())
        raise UserError(f'the {label} {name} cannot be built with {given or "its defaults"}: {error}') from error
