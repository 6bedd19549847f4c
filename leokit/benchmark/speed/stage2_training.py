"""Speed of stage-2 training as ``leokit train`` runs it: data, hooks, log, optimizer and average included."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from leokit.benchmark.speed.bench import SpeedBench
from leokit.datasets import CodeCacheWriter
from leokit.engine import LeoRunner
from leokit.utils import load_config
from leokit.utils.cpu_memory import peak_memory
from leokit.utils.timing import Timing

VIDEOS, EXTRA_FRAMES = 64, 200
WARMUP = 20  # iterations: compilation, capture
ITERATIONS = 50  # of one measurement; a log line is among them
UPDATES = dict(auto=None, torch=False, fused=True)  # values of train_cfg.fused_update
SUFFIXES = dict(auto='', torch=', PyTorch update', fused=', fused update')


class _Clock(Hook):
    """Seconds per iteration over ``ITERATIONS`` at a time."""

    priority = 'LOWEST'

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.seconds: list[float] = []
        self._start: float | None = None

    def after_train_iter(self, runner: Any, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        done = batch_idx + 1 - WARMUP
        if done < 0 or done % self.iterations:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        if self._start is not None:
            self.seconds.append((now - self._start) / self.iterations)
        self._start = now


def bench_stage2_training(bench: SpeedBench) -> None:
    """Iterations of the training loop on random codes, for each kind of update in turn."""
    for update in bench.options.updates:
        _bench_update(bench, update)


def _bench_update(bench: SpeedBench, update: str) -> None:
    options = bench.options
    iterations = ITERATIONS if bench.device.type == 'cuda' else 2
    clock = _Clock(iterations)
    torch.compiler.reset()
    with tempfile.TemporaryDirectory() as folder:
        runner = LeoRunner.from_cfg(_config(bench, Path(folder), WARMUP + options.repeats * iterations, update))
        runner.register_hook(clock)
        if bench.device.type == 'cuda':
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        runner.train()
    peak = torch.cuda.max_memory_reserved() if bench.device.type == 'cuda' else peak_memory()
    seconds = clock.seconds
    name = f'leokit train, {options.num_sequences} x {options.num_frames} codes'
    bench.report(name + (', compiled' if options.compile else '') + SUFFIXES[update],
                 Timing(statistics.median(seconds), min(seconds), max(seconds), peak), options.num_sequences,
                 'sequences')


def _config(bench: SpeedBench, folder: Path, max_iters: int, update: str) -> Config:
    options = bench.options
    config = load_config(options.motion_diffusion_config, dict(num_frames=options.num_frames))
    generator, dim = np.random.default_rng(0), config.model.motion_dim
    producer = dict(weights_hash='0' * 64, config='random', checkpoint='random')
    with CodeCacheWriter(folder / 'codes', dim, animator=producer) as writer:
        for video in range(VIDEOS):
            codes = generator.standard_normal((options.num_frames + EXTRA_FRAMES, dim))
            writer.add(f'video {video}', codes, identity=str(video), fps=25)
    hooks = [dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.999)]
    return Config(dict(
        default_scope='leokit', work_dir=str(folder / 'work'), log_level='ERROR', compile=options.compile,
        check_identities=False, custom_hooks=hooks, log_processor=dict(by_epoch=False), model=config.model,
        env_cfg=dict(float32_matmul_precision='high'),
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype='bfloat16' if options.amp else 'float32',
                           optimizer=dict(type='Adam', lr=1e-4), clip_grad=dict(max_norm=1.0)),
        train_cfg=dict(type='ResumableTrainLoop', max_iters=max_iters, fused_update=UPDATES[update]),
        train_dataloader=dict(
            batch_size=options.num_sequences, num_workers=0, sampler=dict(type='DeterministicSampler'),
            collate_fn=dict(type='default_collate'),
            dataset=dict(type='MotionCodeDataset', codes_dir=str(folder / 'codes'), num_frames=options.num_frames))))
