"""MMEngine's Runner with checkpoints that load anywhere and resume exactly.

``README.md`` in this folder lists every method that is overridden, and why.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from leokit.engine.build_errors import check_config_keys, explain_build_errors
from leokit.engine.checkpoint_files import make_work_dir
from leokit.engine.checkpointing import CheckpointingRunner
from leokit.engine.distributed import check_launcher, prepare_launch, start_cpu_group
from leokit.engine.failed_start import HeldMessages, first_missing, remove_failed_start
from leokit.engine.log_files import remove_partial_configs, tolerate_logger_errors, tolerate_visualizer_errors
from leokit.engine.preemption import ignore_signals
from leokit.engine.work_dir_lock import training_lock
from leokit.utils.errors import UserError, suggest
from leokit.utils.formatted_config import FormattedOnce

ENVIRONMENT_KEYS = ('cudnn_benchmark', 'float32_matmul_precision', 'mp_cfg', 'dist_cfg', 'resource_limit')
FIRST_CALLS = ('before_train', 'before_val', 'before_test')
WORKER_OPTIONS = ('persistent_workers', 'prefetch_factor', 'multiprocessing_context')
PRECISIONS = ('highest', 'high', 'medium')
DEFAULT_HOOKS = dict(
    runtime_info=dict(type='LossWatchHook'),
    sampler_seed=None,
    checkpoint=dict(type='AtomicCheckpointHook'))


class LeoRunner(CheckpointingRunner):
    """Runner of leokit's tools; built with ``LeoRunner.from_cfg(config)``.

    In addition to MMEngine's keys the config may have:

    - ``resume``: ``'auto'`` resumes the newest readable checkpoint of the work dir or, if there is none, starts from
      ``load_from``; a path resumes that file; True has MMEngine's meaning.
    - ``val_cfg``: None switches validation off, whatever the other validation keys are.
    - ``load_strict``: False lets ``load_from`` load whatever fits.
    - ``compile``: True or options of ``torch.compile``.
    - ``env_cfg.float32_matmul_precision``: ``'highest'``, ``'high'`` (TF32) or ``'medium'``.

    Attributes:
        resumed_from (Path | None): The checkpoint that the training continues.
    """

    _used_timestamps: set[str] = set()
    _held_messages: HeldMessages | None = None
    _made: Path | None = None  # what from_cfg made of the work dir and its parents

    # ---- building ------------------------------------------------------------
    @classmethod
    def from_cfg(cls, cfg: Mapping[str, Any]) -> 'LeoRunner':
        """Build a runner from a config whose references are resolved."""
        if cfg.get('val_cfg', {}) is None:  # MMEngine requires all three keys of validation or none
            cfg = copy.copy(cfg)
            cfg.update(dict(val_dataloader=None, val_evaluator=None))
        if isinstance(cfg, Config):
            cfg = FormattedOnce.of(cfg)
        check_config_keys(cfg)
        check_launcher(cfg.get('launcher', 'none'))  # before anything is written
        made = first_missing(cfg['work_dir'])
        make_work_dir(cfg['work_dir'])
        try:
            with explain_build_errors(cfg):
                runner = super().from_cfg(cfg)
        except BaseException:
            remove_failed_start(cfg['work_dir'], made)
            raise
        runner._made = made
        return runner

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        unknown = [key for key in env_cfg if key not in ENVIRONMENT_KEYS]
        if unknown:
            raise UserError(f'env_cfg.{unknown[0]} is unknown{suggest(unknown[0], ENVIRONMENT_KEYS)}')
        precision = env_cfg.get('float32_matmul_precision', PRECISIONS[0])
        if precision not in PRECISIONS:
            raise UserError(f'env_cfg.float32_matmul_precision={precision!r} must be one of {", ".join(PRECISIONS)}')
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.benchmark = False  # undo the setting of an earlier runner in this process
        if self.distributed:
            check_launcher(self.launcher)
            prepare_launch(self.launcher)
            if get_device() == 'cpu' and not is_distributed():
                start_cpu_group(self.launcher, env_cfg.get('dist_cfg', {}).get('timeout'))
        super().setup_env(env_cfg)
        # log files and histories are named by timestamp; two runners built within one second must not share them
        stamp, count = self._timestamp, 1
        while self._timestamp in self._used_timestamps:
            self._timestamp, count = f'{stamp}_{count}', count + 1
        self._used_timestamps.add(self._timestamp)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        super().register_default_hooks({**DEFAULT_HOOKS, **(hooks or {})})

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        tolerate_logger_errors(logger)
        self._held_messages = HeldMessages(logger)
        return logger

    def build_visualizer(self, *args: Any, **kwargs: Any) -> Visualizer:
        visualizer = super().build_visualizer(*args, **kwargs)
        tolerate_visualizer_errors(visualizer, self.logger)
        return visualizer

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        if not self.distributed or get_device() != 'cpu' or is_model_wrapper(model):
            return super().wrap_model(model_wrapper_cfg, model)
        # MMEngine passes the index of a CUDA device
        options = dict(type='MMDistributedDataParallel', broadcast_buffers=False,
                       find_unused_parameters=self.cfg.get('find_unused_parameters', False))
        return MODEL_WRAPPERS.build({**options, **(model_wrapper_cfg or {})}, default_args=dict(module=model))

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict[str, Any], seed: int | None = None,
                         diff_rank_seed: bool = False) -> DataLoader:
        if isinstance(dataloader, dict) and not dataloader.get('num_workers'):
            # torch refuses them without workers, and --cfg-options num_workers=0 should be enough
            dataloader = {key: value for key, value in dataloader.items() if key not in WORKER_OPTIONS}
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if loader is not dataloader:
            loader.worker_init_fn = partial(_start_worker, loader.worker_init_fn)
        return loader

    def _maybe_compile(self, target: str) -> None:
        options = self.cfg.get('compile') or None
        if options is None:
            return
        if options is not True and not isinstance(options, Mapping):
            raise UserError(f'compile={options!r} must be True, False or a dict of options of torch.compile')
        options = {} if options is True else dict(options)
        captured = getattr(self.train_loop, 'captures_step', bool)() if target == 'train_step' else False
        if not options and target == 'train_step' and not self._keeps_gradients() and not captured:
            options = dict(mode='reduce-overhead')  # CUDA graphs: gradients are overwritten in the next iteration
        # in place: the module that torch.compile(model) returns has other state-dict keys
        if hasattr(self.bare_model, 'compile_parts'):
            self.bare_model.compile_parts(**options)
        else:
            self.bare_model.compile(**options)
        self.logger.info('compiling the model: the first iterations are slow')

    def _keeps_gradients(self) -> bool:
        """True if gradients are read outside of the optimizer step of their own iteration."""
        return self.distributed or getattr(self.optim_wrapper, '_accumulative_counts', 1) > 1

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        super().call_hook(fn_name, **kwargs)
        if fn_name in FIRST_CALLS and self._held_messages is not None:  # nothing is left that could fail early
            self._held_messages.release()
            self._held_messages = self._made = None

    def undo_failed_start(self) -> None:
        """Remove the work dir that was made for this run, if the run has failed before its start."""
        if is_main_process():
            remove_failed_start(self.work_dir, self._made)

    # ---- running ---------------------------------------------------------------
    def train(self) -> nn.Module:
        """Train; ``train_loop.stopped_by`` names the signal that ended the training early."""
        self._require(self._train_loop, 'train')
        self._trains = True
        with training_lock(self.work_dir, self.logger), explain_build_errors(self.cfg):
            if is_main_process():
                remove_partial_configs(self.work_dir)
            self._find_start(training=True)  # report a bad checkpoint before the data is scanned
            self._check_data(training=True)
            return super().train()

    def val(self) -> dict[str, float]:
        self._require(self._val_loop, 'val')
        with explain_build_errors(self.cfg):
            return super().val()

    def test(self) -> dict[str, float]:
        self._require(self._test_loop, 'test')
        with explain_build_errors(self.cfg):
            self._find_start(training=False)
            self._check_data(training=False)
            return super().test()

    @staticmethod
    def _require(loop: Any, name: str) -> None:
        if loop is None:
            raise UserError(f'the config has no {name}_dataloader and {name}_cfg, so there is nothing to {name}')


def _start_worker(init_fn: Callable[[int], None] | None, worker_id: int) -> None:
    ignore_signals(worker_id)
    if init_fn is not None:
        init_fn(worker_id)
