"""The backbones of motion diffusion side by side: parameters, multiply-adds, receptive field, time."""

from collections.abc import Sequence
from functools import partial

import torch

from leokit.benchmark.speed.bench import SpeedBench
from leokit.registry import DIFFUSION_BACKBONES

BACKBONES = ('UNet1D', 'MotionTransformer', 'TemporalConvNet')


@torch.no_grad()
def bench_backbones(bench: SpeedBench, names: Sequence[str] = BACKBONES) -> None:
    """Evaluate each backbone, with its defaults, on a batch of sequences.

    Multiply-adds are of one sequence, without the products of queries, keys and values. The receptive field is None if
    every frame of the output depends on every frame of the input.
    """
    from fvcore.nn import FlopCountAnalysis  # slow to import, and only needed here
    batch, frames = bench.options.num_sequences, bench.options.num_frames
    for name in names:
        backbone = DIFFUSION_BACKBONES.build(dict(type=name)).to(bench.device).eval()
        x, t = bench.randn(batch, frames, backbone.motion_dim), torch.zeros(batch, dtype=torch.long)
        inputs = (x, t.to(bench.device))
        count = FlopCountAnalysis(backbone, tuple(value[:1] for value in inputs)).unsupported_ops_warnings(False)
        gmac = count.uncalled_modules_warnings(False).total() / 1e9
        millions = sum(weight.numel() for weight in backbone.parameters()) / 1e6
        field = getattr(backbone, 'receptive_field', None)
        with bench.autocast():
            timing = bench.time(partial(backbone, *inputs))
        text = f'{name}: {millions:.1f} M, {gmac:.3f} GMAC, sees {"all" if field is None else field}'
        bench.report(text, timing, batch, 'sequences')
        bench.rows[-1].update(name=name, parameters=round(1e6 * millions), gmac=gmac, receptive_field=field)
