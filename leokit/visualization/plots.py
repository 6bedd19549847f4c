"""Matplotlib figures made of panels in one column.

Figures are created without pyplot, which keeps them in a global list and may ask for a display.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from leokit.utils import UserError
from leokit.utils.files import atomic_path, clear_write_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 6.0, 3.6  # inches
DPI = 150
MAX_MARKED_POINTS = 30  # a line of fewer points shows them


def figure_with_panels(count: int) -> tuple['Figure', list['Axes']]:
    """An empty figure of ``count`` panels, one below the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(PANEL_WIDTH, PANEL_HEIGHT * count), layout='constrained')
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(count, 1, squeeze=False)[:, 0])


def marker(num_points: int) -> str | None:
    """Marker of a line: dots where they do not merge into each other."""
    return 'o' if num_points < MAX_MARKED_POINTS else None


def save_figure(figure: 'Figure', path: str | Path) -> None:
    """Write a figure atomically; the suffix of ``path`` selects the format.

    Raises:
        UserError: If the format is unknown or the file cannot be written.
    """
    try:
        with clear_write_errors(path), atomic_path(path) as part:
            figure.savefig(part, dpi=DPI)
    except UserError:  # the disk is full, ...; a ValueError, too
        raise
    except ValueError as error:
        raise UserError(f'the plot {path} cannot be written ({error}); use a name in .png, .pdf or .svg') from error
