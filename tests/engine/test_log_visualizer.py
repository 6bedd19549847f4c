import subprocess
import sys
from pathlib import Path

import numpy as np
from engine.toys import toy_config
from mmengine.visualization import Visualizer

from leokit.engine import LeoRunner
from leokit.engine.log_visualizer import LogVisualizer

TESTS = Path(__file__).resolve().parents[1]


def drawn(kind, **options):
    visualizer = kind(image=np.full((20, 30, 3), 90, np.uint8), **options)
    visualizer.draw_bboxes(np.array([[2, 3, 12, 15]]), edge_colors='r')
    visualizer.draw_texts('a', np.array([15, 5]))
    return visualizer.get_image()


def test_drawings_are_mmengines():
    for options in ({}, dict(fig_save_cfg=dict(frameon=False, dpi=50))):
        ours, theirs = drawn(LogVisualizer, **options), drawn(Visualizer, **options)
        assert np.array_equal(ours, theirs)
        assert ours.std() > 1


def start(work_dir):
    runner = LeoRunner.from_cfg(toy_config(work_dir))
    modules = ('matplotlib.figure', 'torchvision', 'timm')
    return type(runner.visualizer).__name__, [name for name in modules if name in sys.modules]


def test_a_start_imports_no_matplotlib_torchvision_and_timm(tmp_path):
    code = (f"import sys; sys.path.insert(0, {str(TESTS)!r}); from engine.test_log_visualizer import start; "
            f"print(start({str(tmp_path)!r}))")
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=TESTS.parent)
    assert result.stdout.splitlines()[-1:] == ["('LogVisualizer', [])"], result.stderr
