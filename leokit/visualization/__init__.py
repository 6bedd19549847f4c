"""Showing things: videos, contact sheets, flow as colour, training curves."""

from leokit.visualization.curves import plot_curves, read_scalars
from leokit.visualization.disk_space import check_space, needed_bytes
from leokit.visualization.flow_color import flow_to_color, mask_to_image
from leokit.visualization.sheets import contact_sheet, reconstruction_sheet, save_png, sequence_sheet
from leokit.visualization.video_writer import VideoWriter

__all__ = [
    'VideoWriter', 'check_space', 'contact_sheet', 'flow_to_color', 'mask_to_image', 'needed_bytes', 'plot_curves',
    'read_scalars', 'reconstruction_sheet', 'save_png', 'sequence_sheet',
]
