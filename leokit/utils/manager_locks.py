"""The lock of MMEngine's managers (loggers, message hubs, visualizers), released after an error.

``get_instance`` and ``get_current_instance`` of MMEngine 0.10.7 hold one lock for all managers and keep it when they
raise, for example where a log file cannot be written. Every registry writes to the log, so any other thread that builds
a component afterwards waits for ever.
"""

from functools import wraps
from typing import Any, Callable

from mmengine.utils import manager

METHODS = ('get_instance', 'get_current_instance')


def release_manager_lock_on_error() -> None:
    """Wrap the two methods of MMEngine's ``ManagerMixin``; a second call changes nothing."""
    for name in METHODS:
        method = vars(manager.ManagerMixin)[name].__func__
        if not hasattr(method, '__wrapped__'):
            setattr(manager.ManagerMixin, name, classmethod(_releasing(method)))


def _releasing(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(cls: type, *args: Any, **kwargs: Any) -> Any:
        owned = manager._lock._is_owned()
        try:
            return method(cls, *args, **kwargs)
        except BaseException:
            while not owned and manager._lock._is_owned():
                manager._lock.release()
            raise
    return call
