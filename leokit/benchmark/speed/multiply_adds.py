"""Multiply-adds of a frame and of a denoising step, counted by fvcore."""

import torch
from torch import nn

from leokit.benchmark.speed.bench import SpeedBench


def count_multiply_adds(bench: SpeedBench) -> None:
    """Count encoder and flow generator for one frame, and the motion diffusion's backbone for one sequence."""
    animator = bench.build_animator(compiled=False).eval()  # fvcore traces the eager modules
    size, frames = bench.options.size, bench.options.num_frames
    image = torch.zeros(1, 3, size, size, device=bench.device)
    encoding = animator.encode(image)
    motion = torch.zeros(1, animator.motion_dim, device=bench.device)
    latent = animator.motion_space(encoding.appearance, motion).detach()
    _report(bench, f'encoder, one {size} x {size} frame', animator.encoder, (image,))
    _report(bench, f'flow generator, one {size} x {size} frame', animator.flow_generator, (latent, encoding.features))

    model = bench.build_motion_diffusion()
    calls: list[tuple] = []  # inputs depend on the motion condition: take them from a training step
    handle = model.backbone.register_forward_pre_hook(lambda module, inputs: calls.append(inputs))
    model(dict(motion=torch.randn(1, frames, model.motion_dim, device=bench.device)), mode='loss')
    handle.remove()
    _report(bench, f'LMDM backbone, one step of {frames} codes', model.backbone.eval(), calls[0])


def _report(bench: SpeedBench, name: str, part: nn.Module, inputs: tuple) -> None:
    from fvcore.nn import FlopCountAnalysis  # slow to import, and only needed here
    count = FlopCountAnalysis(part, inputs).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    bench.rows.append(dict(name=name, gmac=count.total() / 1e9))
    print(f'{name:<46}{count.total() / 1e9:>12.3f} GMAC')
