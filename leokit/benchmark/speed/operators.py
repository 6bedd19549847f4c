"""Speed of every fast operator against its plain reference, timed in turn."""

from typing import Callable

import torch
from torch import Tensor

from leokit.benchmark.speed.bench import TRAINING_COMPILE, SpeedBench
from leokit.diffusion_backbones.unet_1d import TemporalConv, temporal_conv_reference
from leokit.nn import ModulatedConv2d, blur, identity_grid, modulated_conv2d_reference, upfirdn2d_reference, upsample2x
from leokit.utils.cpu_memory import disable_malloc_trim, enable_malloc_trim
from leokit.warp_operators import BilinearWarp, bilinear_sample_reference

CHANNELS, STYLE_DIM = 64, 512


def bench_operators(bench: SpeedBench) -> None:
    """Time all operators, and the C library's handling of freed memory on a CPU."""
    with torch.no_grad():
        for upsample in (False, True):
            _bench_modulated_conv(bench, upsample)
        for name, (fast, plain) in {**_resampling(bench), **_temporal_conv(bench)}.items():
            bench.report_ratio(name, bench.time(fast), bench.time(plain))
    if bench.device.type == 'cpu' and disable_malloc_trim():
        _bench_malloc_trim(bench)


def _bench_modulated_conv(bench: SpeedBench, upsample: bool) -> None:
    batch, resolution = bench.options.train_batch_size, bench.options.size // 2
    x = bench.randn(batch, CHANNELS, resolution, resolution).to(bench.dtype)
    latent = torch.randn(batch, STYLE_DIM, device=bench.device)
    layer = ModulatedConv2d(CHANNELS, CHANNELS, kernel_size=3, style_dim=STYLE_DIM, upsample=upsample).to(bench.device)

    def reference(x: Tensor, latent: Tensor) -> Tensor:
        weight, style = (layer.weight * layer.scale).to(bench.dtype), layer.modulation(latent).to(bench.dtype)
        return modulated_conv2d_reference(x, weight, style, upsample=upsample)

    compiled, compiled_reference = bench.compiled(layer), bench.compiled(reference)

    def fast() -> Tensor:
        with bench.autocast():
            return compiled(x, latent)

    name = f'modulated conv{" up" if upsample else ""}, {batch} x {CHANNELS} x {resolution}'
    bench.report_ratio(name, bench.time(fast), bench.time(lambda: compiled_reference(x, latent)))


def _resampling(bench: SpeedBench) -> dict[str, tuple[Callable, Callable]]:
    batch, resolution = bench.options.train_batch_size, bench.options.size // 2
    x = bench.randn(batch, CHANNELS, resolution, resolution).to(bench.dtype)
    flow = bench.randn(batch, 2, resolution, resolution) * 0.1
    mask = torch.rand(batch, 1, resolution, resolution, device=bench.device)
    positions = flow + identity_grid(resolution, resolution, 'lia', bench.device)
    smooth, up, upfirdn, warp, sample = (bench.compiled(function) for function in (
        blur, upsample2x, upfirdn2d_reference, BilinearWarp(), bilinear_sample_reference))
    return {
        f'blur, {batch} x {CHANNELS} x {resolution}': (lambda: smooth(x, (2, 2)), lambda: upfirdn(x, pad=(2, 2))),
        f'upsample2x, {batch} x 3 x {resolution}': (
            lambda: up(x[:, :3]), lambda: upfirdn(x[:, :3], up=2, pad=(2, 1), gain=4.0)),
        f'bilinear warp, {batch} x {CHANNELS} x {resolution}': (
            lambda: warp(x, flow, mask), lambda: mask * sample(x.float(), positions))}


def _temporal_conv(bench: SpeedBench) -> dict[str, tuple[Callable, Callable]]:
    layer = TemporalConv(4 * CHANNELS, 4 * CHANNELS).to(bench.device, bench.dtype)
    codes = bench.randn(bench.options.num_sequences, bench.options.num_frames, 4 * CHANNELS).to(bench.dtype)
    # a few microseconds of work: launched as one CUDA graph, as in training
    graph = TRAINING_COMPILE if bench.device.type == 'cuda' else {}
    temporal, reference = (bench.compiled(function, **graph) for function in (layer, temporal_conv_reference))
    name = f'temporal conv, {" x ".join(map(str, codes.shape))}'
    return {name: (lambda: temporal(codes), lambda: reference(codes, layer))}


def _bench_malloc_trim(bench: SpeedBench) -> None:
    """Encoding with the C library keeping freed memory, as all commands do, and with its default."""
    size, batch = bench.options.size, bench.options.batch_size
    animator, images = bench.build_animator(compiled=False).eval(), bench.randn(batch, 3, size, size)
    with torch.no_grad(), bench.autocast():
        kept = bench.time(lambda: animator.encode(images))
        enable_malloc_trim()
        trimmed = bench.time(lambda: animator.encode(images))
        disable_malloc_trim()
    bench.report_ratio(f'freed memory kept, encoding {batch} x {size}', kept, trimmed)
