"""The imports that all commands share."""

import gc
import sys


def import_libraries() -> None:
    """Import PyTorch and MMEngine with the garbage collection paused, unless they are imported.

    Their modules create some hundred thousand objects that live as long as the process. Looking for garbage among them
    again and again would take a tenth of the time; frozen, they are left out of later collections, too.
    """
    if 'torch' in sys.modules:
        return
    enabled = gc.isenabled()
    gc.disable()
    try:
        import leokit.utils  # noqa: F401
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
