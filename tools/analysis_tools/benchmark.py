"""Speed, memory and multiply-adds of both stages on the device at hand.

    python tools/analysis_tools/benchmark.py --device cuda --dtype bf16 --compile --channels-last
    python tools/analysis_tools/benchmark.py --device cpu --size 64 --batch 8 --train-batch 4 --only twins stage1

Every figure is the median of --repeats runs after a warm-up, on random weights and random inputs. The section "twins"
times each fast operator and its plain twin in turn and prints the ratio; with --compile both are compiled. Stage-2
training is then timed as it is and compiled.
"""

import argparse
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Callable

import torch
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from torch import Tensor, nn

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.apis import TRAINING_KEY, check_device  # noqa: E402
from leokit.diffusion_backbones.temporal import TemporalConv, temporal_conv_reference  # noqa: E402
from leokit.engine import explain_build_errors  # noqa: E402
from leokit.nn import ModulatedConv2d, blur, identity_grid, modulated_conv2d_reference, upfirdn2d_reference, upsample2x
from leokit.registry import MODELS  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import output_file, positive_int  # noqa: E402
from leokit.utils.cpu_memory import enable_malloc_trim, disable_malloc_trim  # noqa: E402
from leokit.utils.files import write_bytes  # noqa: E402
from leokit.utils.timing import Timing, measure  # noqa: E402
from leokit.warp_operators import BilinearWarp, bilinear_sample_reference  # noqa: E402

DTYPES = dict(fp32=torch.float32, bf16=torch.bfloat16)
SECTIONS = ('stage1', 'training', 'stage2', 'twins', 'flops')
DEFAULT_ANIMATOR = 'configs/lia/lia_celebv_256.py'
DEFAULT_LMDM = 'configs/leo/lmdm_celebv.py'
TRAINING_COMPILE = dict(mode='reduce-overhead')  # what --compile of tools/train.py means on one GPU
MIB = 2**20


class Bench:
    """Flags, device and the table of results.

    Args:
        arguments (argparse.Namespace): The parsed flags.
    """

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.device = check_device(arguments.device)
        self.rows: list[dict] = []

    def autocast(self) -> AbstractContextManager:
        """Autocast to the chosen type; nothing for float32."""
        dtype = DTYPES[self.arguments.dtype]
        return nullcontext() if dtype == torch.float32 else torch.autocast(self.device.type, dtype)

    def random(self, *shape: int) -> Tensor:
        """Standard normal numbers on the device, images in the chosen layout."""
        values = torch.randn(*shape, device=self.device)
        if len(shape) == 4 and self.arguments.channels_last:
            values = values.to(memory_format=torch.channels_last)
        return values

    def time(self, work: Callable[[], object]) -> Timing:
        """Median time of ``work``."""
        if sys.stderr.isatty() and self.arguments.compile:
            print('compiling ...', end='\r', file=sys.stderr, flush=True)
        return measure(work, self.device, repeats=self.arguments.repeats, warmup=self.arguments.warmup)

    def report(self, name: str, timing: Timing, count: int, unit: str) -> None:
        """Print and keep one rate."""
        memory = f'{timing.peak_memory / MIB:>8,.0f} MiB' if timing.peak_memory else ''
        row = dict(name=name, rate=count / timing.median, unit=f'{unit}/s', median_ms=1e3 * timing.median,
                   lowest_ms=1e3 * timing.lowest, highest_ms=1e3 * timing.highest,
                   peak_mib=timing.peak_memory / MIB)
        self.rows.append(row)
        print(f'{name:<46}{row["rate"]:>12,.1f} {row["unit"]:<12}{row["median_ms"]:>10.2f} ms'
              f'  [{row["lowest_ms"]:.2f}, {row["highest_ms"]:.2f}]  {memory}', flush=True)

    def report_ratio(self, name: str, fast: Timing, plain: Timing) -> None:
        """Print and keep how much faster a fast operator is than its twin."""
        row = dict(name=name, fast_ms=1e3 * fast.median, plain_ms=1e3 * plain.median,
                   ratio=plain.median / fast.median)
        self.rows.append(row)
        print(f'{name:<46}{row["fast_ms"]:>10.3f} ms   plain {row["plain_ms"]:>10.3f} ms   '
              f'ratio {row["ratio"]:>7.2f}', flush=True)

    def compiled(self, function: Callable, **options: str) -> Callable:
        """The function, compiled if asked for."""
        return torch.compile(function, **options) if self.arguments.compile else function


def build_model(path: str, options: dict[str, int], *, trainable: bool = False) -> nn.Module:
    """The model of a config; its training parts only where they are timed."""
    config = load_config(path, options)
    init_default_scope(config.get('default_scope', 'leokit'))
    if not trainable:
        config.model.pop(TRAINING_KEY, None)
    with explain_build_errors(config):
        return MODELS.build(config.model)


def build_animator(bench: Bench, *, trainable: bool = False, training: bool = False,
                   compiled: bool | None = None) -> nn.Module:
    """The animator of --animator-config at --size, compiled as tools/train.py does if it is to be trained."""
    options = dict(size=bench.arguments.size)
    animator = build_model(bench.arguments.animator_config, options, trainable=trainable).to(bench.device)
    if bench.arguments.channels_last:
        animator = animator.to(memory_format=torch.channels_last)
    if bench.arguments.compile if compiled is None else compiled:
        animator.compile_parts(**TRAINING_COMPILE if training else {})
    return animator


def bench_stage1(bench: Bench) -> None:
    """Encode, decode with a cached source, and both."""
    size, batch = bench.arguments.size, bench.arguments.batch
    animator = build_animator(bench).eval()
    images, source = bench.random(batch, 3, size, size), bench.random(1, 3, size, size)
    motion = torch.randn(1, batch, animator.motion_dim, device=bench.device)

    def run(work: Callable[[], object]) -> Callable[[], object]:
        def wrapped() -> object:
            with torch.no_grad(), bench.autocast():
                return work()
        return wrapped

    encoding = run(lambda: animator.encode(source))()
    bench.report(f'encode, batch {batch}', bench.time(run(lambda: animator.encode(images))), batch, 'frames')
    bench.report(f'decode from codes, cached source, batch {batch}',
                 bench.time(run(lambda: animator.animate(encoding, motion).frames)), batch, 'frames')
    bench.report(f'encode driving + decode, batch {batch}', bench.time(run(
        lambda: animator.animate(encoding, animator.encode(images).motion[None]).frames)), batch, 'frames')


def bench_training(bench: Bench) -> None:
    """Generator forward and backward under L1 alone, then a full training step of the config."""
    size, batch = bench.arguments.size, bench.arguments.train_batch
    why_not = ''
    try:
        animator = build_animator(bench, trainable=True, training=True).train()
    except UserError as error:  # weights of the perceptual network that are not there
        animator, why_not = build_animator(bench, training=True).train(), str(error)
    source, driving = (bench.random(batch, 3, size, size).clamp(-1, 1) for _ in range(2))

    def generator_step() -> None:
        with bench.autocast():
            loss = (animator.transfer(source, driving).frames - driving).abs().mean()
        loss.backward()
        animator.zero_grad(set_to_none=True)

    bench.report(f'generator forward + backward, batch {batch}', bench.time(generator_step), batch, 'images')
    if why_not:
        print(f'full stage-1 training step: not timed, because {why_not}')
        return
    optimizer = torch.optim.Adam(animator.parameters(), lr=1e-4, betas=(0.5, 0.99), fused=bench.device.type == 'cuda')
    hub = MessageHub.get_current_instance()  # where the model reads the iteration

    def full_step(iteration: int) -> None:
        hub.update_info('iter', iteration)
        with bench.autocast():
            losses = animator(dict(source=source, driving=driving), mode='loss')
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step = bench.time(lambda: full_step(1))
    interval = animator.r1.interval if animator.r1 is not None else 1
    if interval > 1:  # the penalty is due in every so many iterations: the mean step has its share of it
        due = bench.time(lambda: full_step(0))
        shares = [(share * (interval - 1) + rare) / interval for share, rare in zip(step[:3], due[:3])]
        step = Timing(*shares, peak_memory=max(step.peak_memory, due.peak_memory))
    bench.report(f'full training step of the config, batch {batch}', step, batch, 'images')


def bench_stage2(bench: Bench) -> None:
    """Training and DDIM sampling of the motion diffusion model."""
    batch, frames = bench.arguments.sequences, bench.arguments.frames
    model = build_model(bench.arguments.lmdm_config, dict(num_frames=frames)).to(bench.device)
    ones = torch.ones(model.motion_dim, device=bench.device)
    model.set_statistics(mean=0 * ones, std=ones, residual_std=ones)
    motion = torch.randn(batch, frames, model.motion_dim, device=bench.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=bench.device.type == 'cuda')

    def step() -> None:
        with bench.autocast():
            losses = model(dict(motion=motion), mode='loss')
        losses['loss_diffusion'].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    millions = sum(weight.numel() for weight in model.parameters()) / 1e6
    name = f'LMDM training ({millions:.1f} M), {batch} x {frames} codes'
    bench.report(name, bench.time(step), batch, 'sequences')
    if bench.arguments.compile:
        model.compile_parts(**TRAINING_COMPILE)
        bench.report(f'{name}, compiled', bench.time(step), batch, 'sequences')
    model.eval()

    def sample() -> None:
        with torch.no_grad(), bench.autocast():
            model.sample(motion[:, 0], frames)

    steps = model.diffusion.sampler.num_inference_steps or model.diffusion.scheduler.num_train_timesteps
    bench.report(f'LMDM sampling, {steps} steps, {batch} x {frames} codes', bench.time(sample), batch, 'sequences')


def bench_twins(bench: Bench) -> None:
    """Every fast operator against its plain twin, in the same run."""
    batch, side, c = bench.arguments.train_batch, bench.arguments.size // 2, 64
    dtype = DTYPES[bench.arguments.dtype]
    x = bench.random(batch, c, side, side).to(dtype)
    latent = torch.randn(batch, 512, device=bench.device)
    for upsample in (False, True):
        layer = ModulatedConv2d(c, c, kernel_size=3, style_dim=512, upsample=upsample).to(bench.device)

        def written_out(x: Tensor, latent: Tensor, layer: ModulatedConv2d = layer, upsample: bool = upsample) -> Tensor:
            weight, style = (layer.weight * layer.scale).to(dtype), layer.modulation(latent).to(dtype)
            return modulated_conv2d_reference(x, weight, style, upsample=upsample)

        def fast(call: Callable = bench.compiled(layer)) -> Tensor:
            with bench.autocast():
                return call(x, latent)

        def plain(call: Callable = bench.compiled(written_out)) -> Tensor:
            return call(x, latent)

        with torch.no_grad():
            name = f'modulated conv{" up" if upsample else ""}, {batch} x {c} x {side}'
            bench.report_ratio(name, bench.time(fast), bench.time(plain))
    flow, mask = bench.random(batch, 2, side, side) * 0.1, torch.rand(batch, 1, side, side, device=bench.device)
    warp, sample = bench.compiled(BilinearWarp()), bench.compiled(bilinear_sample_reference)
    positions = flow + identity_grid(side, side, 'lia', bench.device)
    smooth, up, resample = (bench.compiled(function) for function in (blur, upsample2x, upfirdn2d_reference))
    layer = TemporalConv(4 * c, 4 * c).to(bench.device, dtype)
    codes = bench.random(bench.arguments.sequences, bench.arguments.frames, 4 * c).to(dtype)
    # a few microseconds of work: as in training, launched as one graph
    graph = TRAINING_COMPILE if bench.device.type == 'cuda' else {}
    temporal, convolve = (bench.compiled(function, **graph) for function in (layer, temporal_conv_reference))
    pairs = {
        f'blur, {batch} x {c} x {side}': (
            lambda: smooth(x, (2, 2)), lambda: resample(x, pad=(2, 2))),
        f'upsample2x, {batch} x 3 x {side}': (
            lambda: up(x[:, :3]), lambda: resample(x[:, :3], up=2, pad=(2, 1), gain=4.0)),
        f'bilinear warp, {batch} x {c} x {side}': (
            lambda: warp(x, flow, mask), lambda: mask * sample(x.float(), positions)),
        f'temporal conv, {" x ".join(map(str, codes.shape))}': (
            lambda: temporal(codes), lambda: convolve(codes, layer)),
    }
    with torch.no_grad():
        for name, (fast_work, plain_work) in pairs.items():
            bench.report_ratio(name, bench.time(fast_work), bench.time(plain_work))
    if bench.device.type == 'cpu' and disable_malloc_trim():
        bench_kept_memory(bench)


def bench_kept_memory(bench: Bench) -> None:
    """Encoding with the C library keeping freed memory, as all tools do, and giving it back, as is its default."""
    size, batch = bench.arguments.size, bench.arguments.batch
    animator, images = build_animator(bench, compiled=False).eval(), bench.random(batch, 3, size, size)
    with torch.no_grad(), bench.autocast():
        kept = bench.time(lambda: animator.encode(images))
        enable_malloc_trim()
        given_back = bench.time(lambda: animator.encode(images))
        disable_malloc_trim()
    bench.report_ratio(f'freed memory kept, encoding {batch} x {size}', kept, given_back)


def bench_flops(bench: Bench) -> None:
    """Multiply-adds of one frame, and of one step of the motion diffusion's network, by fvcore."""
    animator = build_animator(bench, compiled=False).eval()  # fvcore traces the eager modules
    size = bench.arguments.size
    image = torch.zeros(1, 3, size, size, device=bench.device)
    features = animator.encode(image).features
    latent = animator.motion_space(animator.encode(image).appearance, torch.zeros(
        1, animator.motion_dim, device=bench.device)).detach()
    for name, part, inputs in (('encoder', animator.encoder, (image,)),
                               ('flow generator', animator.flow_generator, (latent, features))):
        report_flops(bench, f'{name}, one {size} x {size} frame', part, inputs)
    frames = bench.arguments.frames
    model = build_model(bench.arguments.lmdm_config, dict(num_frames=frames)).to(bench.device)
    ones = torch.ones(model.motion_dim, device=bench.device)
    model.set_statistics(mean=0 * ones, std=ones, residual_std=ones)
    seen: list[tuple] = []  # whatever a backbone is given
    handle = model.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    model(dict(motion=torch.randn(1, frames, model.motion_dim, device=bench.device)), mode='loss')
    handle.remove()
    report_flops(bench, f'LMDM backbone, one step of {frames} codes', model.backbone.eval(), seen[0])


def report_flops(bench: Bench, name: str, part: nn.Module, inputs: tuple) -> None:
    """Count, print and keep the multiply-adds of one call."""
    from fvcore.nn import FlopCountAnalysis
    count = FlopCountAnalysis(part, inputs).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    bench.rows.append(dict(name=name, gmac=count.total() / 1e9))
    print(f'{name:<46}{count.total() / 1e9:>12.3f} GMAC')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--dtype', choices=DTYPES, default='fp32')
    parser.add_argument('--size', type=positive_int, default=256, help='image side')
    parser.add_argument('--batch', type=positive_int, default=64, help='frames per batch when encoding and decoding')
    parser.add_argument('--train-batch', type=positive_int, default=32, help='pairs per batch in stage-1 training')
    parser.add_argument('--sequences', type=positive_int, default=64, help='sequences per batch in stage 2')
    parser.add_argument('--frames', type=positive_int, default=20, help='codes per sequence in stage 2')
    parser.add_argument('--compile', action='store_true', help='torch.compile the heavy parts')
    parser.add_argument('--channels-last', action='store_true', help='channels-last memory layout')
    parser.add_argument('--repeats', type=positive_int, default=10)
    parser.add_argument('--warmup', type=positive_int, default=3)
    parser.add_argument('--only', nargs='+', choices=SECTIONS, default=SECTIONS)
    parser.add_argument('--animator-config', default=DEFAULT_ANIMATOR)
    parser.add_argument('--lmdm-config', default=DEFAULT_LMDM)
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures there as well')
    return parser.parse_args()


def main() -> None:
    """Run the chosen sections, write the results."""
    arguments = parse_args()
    torch.set_float32_matmul_precision('high')
    bench = Bench(arguments)
    name = torch.cuda.get_device_name(bench.device) if bench.device.type == 'cuda' else 'CPU'
    print(f'{name}, torch {torch.__version__}, {arguments.dtype}, compile={arguments.compile}, '
          f'channels_last={arguments.channels_last}, median of {arguments.repeats}')
    sections = dict(stage1=bench_stage1, training=bench_training, stage2=bench_stage2, twins=bench_twins,
                    flops=bench_flops)
    for section in arguments.only:
        sections[section](bench)
    if arguments.out:
        write_bytes(arguments.out, json.dumps(dict(
            device=name, torch=torch.__version__, arguments=vars(arguments), rows=bench.rows), indent=1,
            default=str).encode())


if __name__ == '__main__':
    run_tool(main)
