"""Speed of stage 1: encoding, decoding, and training steps of the animator."""

import torch
from mmengine.logging import MessageHub
from torch import nn

from leokit.benchmark.speed.bench import SpeedBench
from leokit.inference.chunk_runner import ChunkRunner
from leokit.inference.frame_encoder import frame_encoder
from leokit.inference.rendering import encode
from leokit.utils import UserError
from leokit.utils.timing import Timing


def bench_animator(bench: SpeedBench) -> None:
    """Encode, decode with a cached source, and both, as in :mod:`leokit.inference`; the encoder itself to compare."""
    size, batch, amp = bench.options.size, bench.options.batch_size, bench.options.amp
    animator = bench.build_animator().eval()
    images, source = bench.randn(batch, 3, size, size), bench.randn(1, 3, size, size)
    motion = torch.randn(1, batch, animator.motion_dim, device=bench.device)
    runner = ChunkRunner(animator, batch, amp=amp)  # as leokit.inference does for long videos
    draw = runner.renderer(encode(animator, source, amp=amp))
    plain = frame_encoder(animator.encoder, amp=amp, fused=False)
    bench.report(f'encode, batch {batch}', bench.time(lambda: runner.codes(images)), batch, 'frames')
    bench.report(f'encode, without fused kernels, batch {batch}', bench.time(lambda: plain(images)), batch, 'frames')
    bench.report(f'decode from codes, cached source, batch {batch}', bench.time(lambda: draw(motion)), batch, 'frames')
    bench.report(f'encode driving + decode, batch {batch}', bench.time(
        lambda: draw(runner.codes(images)[None])), batch, 'frames')


def bench_animator_training(bench: SpeedBench) -> None:
    """Generator forward and backward under L1 alone, then a full training step of the config."""
    size, batch = bench.options.size, bench.options.train_batch_size
    obstacle = ''
    try:
        animator = bench.build_animator(trainable=True, training=True).train()
    except UserError as error:  # missing weights of the perceptual network
        animator, obstacle = bench.build_animator(training=True).train(), str(error)
    source, driving = (bench.randn(batch, 3, size, size).clamp(-1, 1) for _ in range(2))

    def generator_step() -> None:
        with bench.autocast():
            loss = (animator.transfer(source, driving).frames - driving).abs().mean()
        loss.backward()
        animator.zero_grad(set_to_none=True)

    bench.report(f'generator forward + backward, batch {batch}', bench.time(generator_step), batch, 'images')
    if obstacle:
        print(f'full stage-1 training step: not timed, because {obstacle}')
        return
    step = _time_full_step(bench, animator, dict(source=source, driving=driving))
    bench.report(f'full training step of the config, batch {batch}', step, batch, 'images')


def _time_full_step(bench: SpeedBench, animator: nn.Module, inputs: dict[str, torch.Tensor]) -> Timing:
    optimizer = torch.optim.Adam(animator.parameters(), lr=1e-4, betas=(0.5, 0.99), fused=bench.device.type == 'cuda')
    hub = MessageHub.get_current_instance()  # where the model reads the iteration

    def full_step(iteration: int) -> None:
        hub.update_info('iter', iteration)
        with bench.autocast():
            losses = animator(inputs, mode='loss')
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step = bench.time(lambda: full_step(1))
    interval = animator.r1.interval if animator.r1 is not None else 1
    if interval == 1:
        return step
    # the R1 penalty is computed once per interval: the mean step has its share of it
    penalized = bench.time(lambda: full_step(0))
    means = [(usual * (interval - 1) + rare) / interval for usual, rare in zip(step[:3], penalized[:3])]
    return Timing(*means, peak_memory=max(step.peak_memory, penalized.peak_memory))
