"""The imports that all commands share."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


def import_libraries(*modules: str) -> None:
    """Import PyTorch, MMEngine and modules with the garbage collection paused, unless they are imported.

    Their modules create some hundred thousand objects that live as long as the process. Looking for garbage among them
    again and again would take a tenth of the time; frozen, they are left out of later collections, too.

    Args:
        *modules (str): Further modules.
    """
    missing = [name for name in modules if name not in sys.modules]
    if 'torch' not in sys.modules:
        missing.insert(0, 'leokit.utils')
    if missing:
        with collection_paused():
            for name in missing:
                import_module(name)
            gc.freeze()


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no garbage in cycles meanwhile: work that creates many objects and little garbage is faster."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
