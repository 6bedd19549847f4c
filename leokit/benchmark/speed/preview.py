"""Speed of the preview of ``leokit app``: from the amounts of the sliders to the HTML with both images."""

import tempfile
from pathlib import Path

import numpy as np

from leokit.app import AppContext, AppModels, Limits
from leokit.app.files import PrivateFiles
from leokit.app.preview import preview
from leokit.benchmark.speed.bench import SpeedBench
from leokit.inference.leo import LEO
from leokit.visualization import save_png


def bench_preview(bench: SpeedBench) -> None:
    """A slider of the tab Manipulate, moved again and again; the image has been encoded."""
    animator = bench.build_animator(compiled=False).eval()
    models = AppModels(LEO(animator, amp=bench.options.amp), 'benchmark', ())
    size = bench.options.size
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / 'image.png'
        save_png(image, np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8))
        context = AppContext(models, Limits(), PrivateFiles(root=Path(folder) / 'private'))
        visitor = context.files.visitor('benchmark')
        amounts = [0.0] * animator.motion_dim

        def move() -> None:
            amounts[0] += 0.1
            preview(context, visitor, str(image), *amounts)

        bench.report('a preview of the page', bench.time(move), 1, 'previews')
