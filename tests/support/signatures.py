"""Default values of functions and constructors."""

import inspect


def defaults(function) -> dict:
    """The arguments that have a default other than None, by name."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default not in (inspect.Parameter.empty, None)}
