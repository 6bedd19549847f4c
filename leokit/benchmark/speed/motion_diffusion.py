"""Speed of stage 2: training steps and sampling of the motion diffusion."""

import torch

from leokit.benchmark.speed.bench import TRAINING_COMPILE, SpeedBench


def bench_motion_diffusion(bench: SpeedBench) -> None:
    """A training step, eager and compiled, and sampling with the config's sampler."""
    batch, frames = bench.options.num_sequences, bench.options.num_frames
    model = bench.build_motion_diffusion()
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
    if bench.options.compile:
        model.compile_parts(**TRAINING_COMPILE)
        bench.report(f'{name}, compiled', bench.time(step), batch, 'sequences')
    model.eval()

    def sample() -> None:
        with torch.no_grad(), bench.autocast():
            model.sample(motion[:, 0], frames)

    steps = model.diffusion.sampler.num_inference_steps or model.diffusion.scheduler.num_train_timesteps
    bench.report(f'LMDM sampling, {steps} steps, {batch} x {frames} codes', bench.time(sample), batch, 'sequences')
