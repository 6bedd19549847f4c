"""A tiny model, data and hooks for training in tests, and functions that run a training in its own process."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from leokit.datasets import SampleKey
from leokit.engine import LeoRunner, leave_process_group
from leokit.registry import DATASETS, HOOKS, METRICS, MODELS
from leokit.utils import UserError
from leokit.utils.batch_random import BatchDropout

WIDTH = 6


@MODELS.register_module()
class ToyModel(BaseModel):
    """Regression with dropout, batch statistics and a discriminator, which only training needs."""

    def __init__(self, width: int = WIDTH, dropout: float = 0.2, data_preprocessor: dict | None = None):
        super().__init__(data_preprocessor or dict(type='mmengine.BaseDataPreprocessor'))
        self.encoder = nn.Sequential(nn.Linear(width, 8), nn.Tanh(), BatchDropout(dropout), nn.Linear(8, width))
        self.discriminator = nn.Linear(width, 1)
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))

    def forward(self, inputs: dict, data_samples: dict | None = None, mode: str = 'tensor') -> Any:
        output = self.encoder(inputs['x'])
        if mode == 'loss':
            self.steps += 1
            return dict(loss_fit=(output - inputs['y']).square().mean(),
                        loss_other=self.discriminator(output.detach()).square().mean() * 0.1)
        return [dict(error=error) for error in (output - inputs['y']).square().mean(1)] if mode == 'predict' else output


@DATASETS.register_module()
class ToyData(Dataset):
    """Random pairs; records the loaded indices in ``loaded``."""

    def __init__(self, length: int = 40, seed: int = 5, broken: int | None = None, folder: str | None = None):
        if folder is not None and not any(Path(folder).iterdir()):
            raise UserError(f'the folder {folder} holds no videos; point data_root to a folder with some')
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(length, WIDTH, generator=generator)
        self.broken = broken
        self.loaded: list[int] = []

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, key: SampleKey | int) -> dict:
        index, number = key if isinstance(key, SampleKey) else (key, key)
        self.loaded.append(number)
        noise = np.random.default_rng((7, number)).standard_normal(WIDTH).astype(np.float32)
        x = self.x[index] + 0.1 * torch.from_numpy(noise)
        if number == self.broken:
            x = x * torch.nan
        return dict(inputs=dict(x=x, y=self.x[index].sin()), data_samples=dict(name=f'clip_{index}', number=number))


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Mean squared error."""

    default_prefix = 'toy'

    def __init__(self, interrupt: bool = False, scale: float = 1.0):
        super().__init__()
        self.interrupt = interrupt
        self.scale = scale

    def process(self, data_batch: dict, data_samples: list[dict]) -> None:
        if self.interrupt:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)  # longer than the time until a scheduler kills the job
            raise AssertionError('the signal did not break the validation off')
        self.results += [float(sample['error']) for sample in data_samples]

    def compute_metrics(self, results: list) -> dict:
        return dict(error=self.scale * sum(results) / len(results))


@HOOKS.register_module()
class RecordHook(Hook):
    """Write every loss exactly; signal this process and its data workers after a given iteration, as schedulers do."""

    def __init__(self, file: str | None = None, signal_after: int | None = None, number: int = signal.SIGKILL,
                 rank: int = 0):
        self.file = file
        self.signal_after = signal_after
        self.number = number
        self.rank = rank

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        if self.file is not None:
            lr = runner.optim_wrapper.get_lr()['lr'][0]
            with open(self.file, 'a') as file:
                file.write(f'{batch_idx} {float(outputs["loss"].detach()).hex()} {lr.hex()}\n')
        if self.signal_after == batch_idx + 1 and runner.rank == self.rank:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid, self.number)
            os.kill(os.getpid(), self.number)


def toy_config(work_dir: Path, **changes: Any) -> Config:
    """A complete training config; ``changes`` replace top-level keys."""
    loader = dict(batch_size=4, num_workers=0, dataset=dict(type='ToyData'), sampler=dict(type='DeterministicSampler'),
                  collate_fn=dict(type='default_collate'))
    config = dict(
        default_scope='leokit', work_dir=str(work_dir), model=dict(type='ToyModel'), log_level='WARNING',
        train_dataloader=loader, train_cfg=dict(type='ResumableTrainLoop', max_iters=12, val_interval=100),
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype='float32', optimizer=dict(type='Adam', lr=0.01)),
        param_scheduler=[dict(type='CosineAnnealingLR', T_max=12, by_epoch=False)],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=4),
                           checkpoint=dict(type='AtomicCheckpointHook', interval=4)),
        log_processor=dict(by_epoch=False), randomness=dict(seed=3))
    config.update(changes)
    return Config({key: value for key, value in config.items() if value is not None})


def with_validation(**metric: Any) -> dict[str, Any]:
    """The config keys of a validation."""
    loader = dict(batch_size=4, num_workers=0, dataset=dict(type='ToyData', length=8, seed=6),
                  sampler=dict(type='DefaultSampler', shuffle=False), collate_fn=dict(type='default_collate'))
    return dict(val_dataloader=loader, val_cfg=dict(), val_evaluator=dict(type='ToyMetric', **metric))


def train(config: Config) -> LeoRunner:
    """Train in this process."""
    runner = LeoRunner.from_cfg(config)
    runner.train()
    return runner


def train_in_process(config_text: str, variables: dict[str, str] | None = None, weights: str | None = None) -> None:
    """Process target: train a config given as text; exit as leokit train does.

    Args:
        config_text: The config.
        variables: Environment variables to set.
        weights: File for the final ``state_dict`` and the sample numbers it ``loaded``.
    """
    os.environ.update(variables or {})
    torch.set_num_threads(1)
    runner = train(Config.fromstring(config_text, '.py'))
    if weights is not None:
        torch.save(dict(state_dict=runner.bare_model.state_dict(), loaded=runner.train_dataloader.dataset.loaded,
                        iter=runner.iter), weights)
    leave_process_group()
    raise SystemExit(143 if runner.train_loop.stopped_by else 0)
