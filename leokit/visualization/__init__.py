"""Contact sheets, color-coded flow, and plots."""

from leokit.visualization.contact_sheets import (
    contact_sheet, labeled_grid, reconstruction_sheet, save_png, sequence_sheet)
from leokit.visualization.flow_color import flow_to_color, mask_to_image
from leokit.visualization.plots import figure_with_panels, save_figure

__all__ = [
    'contact_sheet', 'figure_with_panels', 'flow_to_color', 'labeled_grid', 'mask_to_image', 'reconstruction_sheet',
    'save_figure', 'save_png', 'sequence_sheet',
]
