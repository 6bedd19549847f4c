"""Speed of the starting-code and starting-frame models: training steps and sampling."""

from collections.abc import Callable

import torch
from torch import Tensor

from leokit.benchmark.speed.bench import TRAINING_COMPILE, SpeedBench
from leokit.models.diffusion_model import DiffusionModel
from leokit.utils import load_config

SAMPLES = 16


def bench_start_models(bench: SpeedBench) -> None:
    """A training step with the batch of the config, and sampling of 16 codes and 16 frames with its sampler."""
    config = bench.options.start_code_config
    codes = load_config(config).train_dataloader.batch_size
    model = bench.build_diffusion(config)
    motion = torch.randn(codes, 1, model.motion_dim, device=bench.device)
    _bench_model(bench, model, f'starting code, {codes}', dict(motion=motion), 'codes', lambda: model.sample(SAMPLES))

    config = bench.options.start_frame_config
    frames = load_config(config).train_dataloader.batch_size
    network = bench.build_diffusion(config)
    motion = torch.randn(max(frames, SAMPLES), network.motion_dim, device=bench.device)
    images = bench.randn(frames, 3, network.size, network.size).clamp(-1, 1)
    _bench_model(bench, network, f'starting frame {network.size} x {network.size}, {frames}',
                 dict(frame=images, motion=motion[:frames]), 'frames', lambda: network.sample(motion[:SAMPLES]))


def _bench_model(bench: SpeedBench, model: DiffusionModel, name: str, inputs: dict[str, Tensor], unit: str,
                 sample: Callable[[], Tensor]) -> None:
    if bench.options.compile:
        model.compile_parts(**TRAINING_COMPILE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=bench.device.type == 'cuda')

    def step() -> None:
        with bench.autocast():
            losses = model(inputs, mode='loss')
        losses['loss_diffusion'].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def sample_once() -> None:
        with torch.no_grad(), bench.autocast():
            sample()

    count = len(next(iter(inputs.values())))
    bench.report(f'{name}, training', bench.time(step), count, unit)
    model.eval()
    steps = model.diffusion.sampler.num_inference_steps or model.diffusion.scheduler.num_train_timesteps
    bench.report(f'{name.split(",")[0]}, sampling {SAMPLES}, {steps} steps', bench.time(sample_once), SAMPLES, unit)
