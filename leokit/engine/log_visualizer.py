"""MMEngine's visualizer, which passes losses and images on to its backends, without matplotlib until it draws."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from mmengine.visualization import Visualizer

DPI = 100  # matplotlib's default


class LogVisualizer(Visualizer):
    """A visualizer that makes its figure when it draws: importing matplotlib takes half a second of every start."""

    def _initialize_fig(self, fig_cfg: dict[str, Any]) -> tuple[Any, ...]:
        make = cache(partial(super()._initialize_fig, {'dpi': DPI, **fig_cfg}))
        return tuple(_Part(make, index, fig_cfg.get('dpi', DPI)) for index in range(3))


class _Part:
    """Canvas, figure or axes, made at the first access to an attribute but the resolution."""

    def __init__(self, make: Callable[[], tuple[Any, ...]], index: int, dpi: float) -> None:
        self._make, self._index, self._dpi = make, index, dpi

    def get_dpi(self) -> float:
        """The figure's resolution, which MMEngine's constructor asks for."""
        return self._dpi

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        return getattr(self._make()[self._index], name)
