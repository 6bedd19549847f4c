import cv2
import numpy as np
import pytest

from leokit.utils import UserError
from leokit.visualization import figure_with_panels, save_figure
from leokit.visualization.plots import DPI, PANEL_HEIGHT, PANEL_WIDTH


def test_panels_are_stacked_and_drawn(tmp_path):
    figure, panels = figure_with_panels(2)
    for panel in panels:
        panel.plot([0, 1], [0, 1])
    save_figure(figure, tmp_path / 'plot.png')
    image = cv2.imread(str(tmp_path / 'plot.png'))
    assert image.shape == (round(2 * PANEL_HEIGHT * DPI), round(PANEL_WIDTH * DPI), 3) and np.ptp(image) > 100
    assert [path.name for path in tmp_path.iterdir()] == ['plot.png']


def test_unknown_formats_and_unwritable_files(tmp_path):
    figure, _ = figure_with_panels(1)
    with pytest.raises(UserError, match='use a name in .png, .pdf or .svg'):
        save_figure(figure, tmp_path / 'plot.docx')
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(UserError, match='^cannot write .*choose another name or folder$'):
        save_figure(figure, tmp_path / 'file' / 'plot.png')
    assert [path.name for path in tmp_path.iterdir()] == ['file']
