"""Showing things: videos, contact sheets, flow as color, training curves."""

from leokit.visualization.contact_sheets import contact_sheet, reconstruction_sheet, save_png, sequence_sheet
from leokit.visualization.curves import plot_curves, read_scalars
from leokit.visualization.flow_color import flow_to_color, mask_to_image

__all__ = [
    'contact_sheet', 'flow_to_color', 'mask_to_image', 'plot_curves', 'read_scalars', 'reconstruction_sheet',
    'save_png', 'sequence_sheet',
]
