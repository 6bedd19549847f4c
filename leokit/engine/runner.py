"""MMEngine's Runner with checkpoints that load anywhere and resume exactly.

What differs from MMEngine 0.10: checkpoints are plain, atomic and load with
``weights_only=True`` (MMEngine's own cannot be resumed on torch >= 2.6); they fit the
model entirely or not at all; the file to start from is read before any data is;
the CPU can be distributed (gloo); compiling leaves state-dict keys alone; mistakes in
a config are one sentence.
"""

import copy
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Callable

import torch
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list, is_distributed, is_main_process
from mmengine.model import is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from leokit.engine.build_errors import check_config_keys, explain_build_errors
from leokit.engine.checkpoint_files import StartCheckpoint, find_start_checkpoint, make_work_dir
from leokit.engine.distributed import check_launcher, start_cpu_group
from leokit.engine.message_hub import load_message_hub_state, message_hub_state
from leokit.engine.preemption import ignore_signals
from leokit.engine.resume_state import restore_optimizer, restore_schedulers, scheduler_states
from leokit.engine.weight_loading import TRAINING_ONLY, conventions, load_weights
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.utils.config import with_references
from leokit.utils.config_data import config_to_data
from leokit.utils.errors import UserError, format_list, suggest
from leokit.utils.files import atomic_path
from leokit.utils.modules import unwrap_model
from leokit.version import __version__

ENVIRONMENT_KEYS = ('cudnn_benchmark', 'float32_matmul_precision', 'mp_cfg', 'dist_cfg', 'resource_limit')
WORKER_OPTIONS = ('persistent_workers', 'prefetch_factor', 'multiprocessing_context')
PRECISIONS = ('highest', 'high', 'medium')
DEFAULT_HOOKS = dict(
    runtime_info=dict(type='LossWatchHook'),
    sampler_seed=None,
    checkpoint=dict(type='AtomicCheckpointHook'))


class LeoRunner(Runner):
    """Runner of leokit's tools; built with ``LeoRunner.from_cfg(config)``.

    Beyond MMEngine's keys the config may hold:

    - ``resume``: ``'auto'`` goes on from the newest whole checkpoint of the work dir and, if there is none, starts
      from ``load_from``; a path goes on from that file; True is MMEngine's meaning.
    - ``val_cfg``: None switches validation off, whatever the config says of its data.
    - ``load_strict``: False lets ``load_from`` load whatever fits.
    - ``compile``: True or options of ``torch.compile``.
    - ``env_cfg.float32_matmul_precision``: ``'highest'``, ``'high'`` (TF32) or ``'medium'``.

    Attributes:
        resumed_from (Path | None): The checkpoint that the training goes on from.
    """

    resumed_from: Path | None = None
    _start: StartCheckpoint | None = None
    _start_is_known = False
    _trains = False
    _used_timestamps: set[str] = set()

    # ---- building ------------------------------------------------------------
    @classmethod
    def from_cfg(cls, cfg: Mapping[str, Any]) -> 'LeoRunner':
        """Build a runner from a config.

        Args:
            cfg (Config): The config, references resolved.

        Raises:
            UserError: If the config has a mistake.
        """
        if cfg.get('val_cfg', {}) is None:  # MMEngine wants the three of them to be None, or none
            cfg = copy.copy(cfg)
            cfg.update(dict(val_dataloader=None, val_evaluator=None))
        check_config_keys(cfg)
        make_work_dir(cfg['work_dir'])
        with explain_build_errors(cfg):
            return super().from_cfg(cfg)

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Set precision and cuDNN mode, start the process group.

        Args:
            env_cfg (dict): ``env_cfg`` of the config.

        Raises:
            UserError: If a key or value is unknown, or the launcher did not start this process.
        """
        unknown = [key for key in env_cfg if key not in ENVIRONMENT_KEYS]
        if unknown:
            raise UserError(f'env_cfg.{unknown[0]} is unknown{suggest(unknown[0], ENVIRONMENT_KEYS)}')
        precision = env_cfg.get('float32_matmul_precision', PRECISIONS[0])
        if precision not in PRECISIONS:
            raise UserError(f'env_cfg.float32_matmul_precision={precision!r} must be one of {", ".join(PRECISIONS)}')
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.benchmark = False  # a setting of an earlier runner in this process must not stay
        if self.distributed:
            check_launcher(self.launcher)
            if get_device() == 'cpu' and not is_distributed():
                start_cpu_group(self.launcher, env_cfg.get('dist_cfg', {}).get('timeout'))
        super().setup_env(env_cfg)
        # two runners of one second and process would share log and history, which go by the timestamp
        stamp, count = self._timestamp, 1
        while self._timestamp in self._used_timestamps:
            self._timestamp, count = f'{stamp}_{count}', count + 1
        self._used_timestamps.add(self._timestamp)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Register default hooks; leokit's take the place of MMEngine's where those would not do.

        Args:
            hooks (dict, optional): ``default_hooks`` of the config.
        """
        super().register_default_hooks({**DEFAULT_HOOKS, **(hooks or {})})

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Wrap the model for distributed training, on the CPU too.

        Args:
            model_wrapper_cfg (dict, optional): ``model_wrapper_cfg`` of the config.
            model (nn.Module): The model.
        """
        if not self.distributed or get_device() != 'cpu' or is_model_wrapper(model):
            return super().wrap_model(model_wrapper_cfg, model)
        options = dict(type='MMDistributedDataParallel', broadcast_buffers=False,
                       find_unused_parameters=self.cfg.get('find_unused_parameters', False))
        return MODEL_WRAPPERS.build({**options, **(model_wrapper_cfg or {})}, default_args=dict(module=model))

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict[str, Any], seed: int | None = None,
                         diff_rank_seed: bool = False) -> DataLoader:
        """Build a data loader whose workers outlive a stop signal.

        Args:
            dataloader (DataLoader | dict): A loader, or its config; without workers, options for workers do not count.
            seed (int, optional): Seed of sampler and workers.
            diff_rank_seed (bool): As in MMEngine.
        """
        if isinstance(dataloader, dict) and not dataloader.get('num_workers'):
            # torch refuses them, and num_workers=0 alone should do
            dataloader = {key: value for key, value in dataloader.items() if key not in WORKER_OPTIONS}
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if loader is not dataloader:
            loader.worker_init_fn = partial(_start_worker, loader.worker_init_fn)
        return loader

    def _maybe_compile(self, target: str) -> None:
        """Compile the parts that the model names, or its forward pass; state-dict keys stay as they are."""
        options = self.cfg.get('compile') or None
        if options is None:
            return
        if options is not True and not isinstance(options, Mapping):
            raise UserError(f'compile={options!r} must be True, False or a dict of options of torch.compile')
        options = {} if options is True else dict(options)
        if not options and target == 'train_step' and not self._keeps_gradients():
            options = dict(mode='reduce-overhead')  # CUDA graphs, whose gradients do not outlive the iteration
        if hasattr(self.bare_model, 'compile_parts'):
            self.bare_model.compile_parts(**options)
        else:
            self.bare_model.compile(**options)
        self.logger.info('compiling the model: the first iterations are slow')

    def _keeps_gradients(self) -> bool:
        """Whether somebody else than the optimizer's step of the same iteration reads gradients."""
        return self.distributed or getattr(self.optim_wrapper, '_accumulative_counts', 1) > 1

    @property
    def bare_model(self) -> nn.Module:
        """The model without the wrapper of distributed training."""
        return unwrap_model(self.model)

    # ---- running ---------------------------------------------------------------
    def train(self) -> nn.Module:
        """Train.

        Returns:
            nn.Module: The model; ``train_loop.stopped_by`` says whether a signal ended the training early.

        Raises:
            UserError: If config or checkpoint has a mistake, or a loss is not finite.
        """
        self._need(self._train_loop, 'train')
        self._trains = True
        with explain_build_errors(self.cfg):
            self._find_start(training=True)  # a bad checkpoint should fail before the data is scanned
            return super().train()

    def val(self) -> dict[str, float]:
        """Validate.

        Returns:
            dict[str, float]: The metrics.
        """
        self._need(self._val_loop, 'val')
        with explain_build_errors(self.cfg):
            return super().val()

    def test(self) -> dict[str, float]:
        """Test.

        Returns:
            dict[str, float]: The metrics.
        """
        self._need(self._test_loop, 'test')
        with explain_build_errors(self.cfg):
            return super().test()

    @staticmethod
    def _need(loop: Any, name: str) -> None:
        if loop is None:
            raise UserError(f'the config has no {name}_dataloader and {name}_cfg, so there is nothing to {name}')

    # ---- starting from a checkpoint --------------------------------------------
    def load_or_resume(self) -> None:
        """Load what the training, validation or test starts from."""
        if not self._has_loaded:
            self._load_start()
        self._save_config(replace=self._trains)

    def _load_start(self) -> None:
        self._find_start(training=False)
        start, self._start = self._start, None
        if start is not None:
            if start.resume:
                self._resume_from(start.path, start.checkpoint)
            else:
                self._load_from_checkpoint(start.path, start.checkpoint, self.cfg.get('load_strict', True))
        self._has_loaded = True

    def load_checkpoint(self, filename: str | Path, map_location: str = 'cpu', strict: bool = True) -> dict[str, Any]:
        """Load the weights of a checkpoint into the model.

        Args:
            filename (str | Path): The file.
            map_location (str): Device for reading it.
            strict (bool): False loads whatever fits.

        Returns:
            dict: The checkpoint.

        Raises:
            UserError: If the file cannot be read or does not fit.
        """
        checkpoint = load_checkpoint(filename, map_location)
        self._load_from_checkpoint(Path(filename), checkpoint, strict)
        self._has_loaded = True
        return checkpoint

    def resume(self, filename: str | Path) -> None:
        """Continue the training of a checkpoint.

        Args:
            filename (str | Path): The file.

        Raises:
            UserError: If the file cannot be read, does not fit, or holds weights only.
        """
        self._resume_from(Path(filename), load_checkpoint(filename))
        self._has_loaded = True

    def _find_start(self, training: bool) -> None:
        """Rank 0 decides which file to start from; all ranks read it, or fail with the same error."""
        if self._has_loaded or self._start_is_known:
            return
        choice = [None]
        if is_main_process():
            try:
                self._start = find_start_checkpoint(
                    self._resume, self._load_from, self.work_dir, logger=self.logger, training=training)
                choice = [self._start and (self._start.path, self._start.resume)]
            except UserError as error:
                choice = [error]
        broadcast_object_list(choice)
        if isinstance(choice[0], UserError):
            raise choice[0]
        if choice[0] is not None and self._start is None:
            path, resume = choice[0]
            self._start = StartCheckpoint(path, load_checkpoint(path), resume)
        self._start_is_known = True
        if self._start is not None and self._start.resume:
            self._adopt_seed(self._start.checkpoint.get('meta', {}).get('seed'))

    def _adopt_seed(self, seed: int | None) -> None:
        """Go on with the seed of the resumed training: data order and noise are functions of it."""
        if seed is None or seed == self.seed:
            return
        if self._randomness_cfg.get('seed') is not None:
            self.logger.warning(f'the resumed training has seed {seed}, which takes the place of {self.seed}')
        self._randomness_cfg = {**self._randomness_cfg, 'seed': seed}
        self.set_randomness(**self._randomness_cfg)

    def _load_from_checkpoint(self, path: Path, checkpoint: dict[str, Any], strict: bool) -> None:
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        left_out = load_weights(self.bare_model, checkpoint['state_dict'], source=str(path), strict=strict,
                                optional=TRAINING_ONLY, meta=checkpoint.get('meta'))
        self.logger.info(f'loaded {path}')
        if left_out:
            self.logger.warning(f'{len(left_out)} keys of {path} were missing, left over or of another size '
                                f'({format_list(left_out)})')

    def _resume_from(self, path: Path, checkpoint: dict[str, Any]) -> None:
        if not {'optimizer', 'message_hub', 'param_schedulers'} <= checkpoint.keys():
            raise UserError(f'{path} holds weights only and cannot be resumed; start from it with load_from, or resume '
                            f'an iter_*.pth')
        self.resumed_from = path
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        meta = checkpoint['meta']
        # training goes on with the raw weights, not with their average
        weights = {**checkpoint['state_dict'], **checkpoint.get('raw_state_dict', {})}
        load_weights(self.bare_model, weights, source=str(path), meta=meta)
        self.train_loop._iter, self.train_loop._epoch = meta['iter'], meta['epoch']
        load_message_hub_state(self.message_hub, checkpoint['message_hub'])
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        restore_optimizer(self.optim_wrapper, checkpoint['optimizer'], str(path))
        if self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        notes = restore_schedulers(self.param_schedulers, checkpoint['param_schedulers'], str(path))
        if notes:
            self.logger.warning(
                f'the learning rate follows the schedule of {path}, not the config, and past its end stays where it '
                f'ended ({", ".join(notes)}); for a new one start from the weights: load_from={path} without --resume')
        self.logger.info(f'resumed {path} at iteration {self.iter}')

    # ---- saving ----------------------------------------------------------------
    def save_checkpoint(self, out_dir: str | Path, filename: str, file_client_args: None = None,
                        save_optimizer: bool = True, save_param_scheduler: bool = True,
                        meta: dict[str, Any] | None = None, by_epoch: bool = True, backend_args: None = None) -> None:
        """Write a checkpoint; every rank calls this, rank 0 writes.

        Args:
            out_dir (str | Path): The folder.
            filename (str): The file's name.
            file_client_args (None): Only there because MMEngine's hook passes it.
            save_optimizer (bool): Whether the optimizer's state goes in.
            save_param_scheduler (bool): Whether the schedulers' states go in.
            meta (dict, optional): Further facts; ``iter`` and ``epoch`` win over those found here.
            by_epoch (bool): Whether the caller is between epochs, not iterations.
            backend_args (None): As ``file_client_args``.

        Raises:
            UserError: If the weights are not finite, or the file cannot be written.
        """
        if file_client_args or backend_args:
            raise UserError('checkpoints are written to the file system only; remove file_client_args and '
                            'backend_args from the checkpoint hook')
        self.call_hook('before_checkpoint')
        self._check_weights()
        if not is_main_process():
            return
        model = self.bare_model
        facts = dict(iter=self.iter if by_epoch else self.iter + 1, epoch=self.epoch + 1 if by_epoch else self.epoch)
        checkpoint = dict(
            meta=dict(**{**facts, **(meta or {})}, cfg=config_to_data(self.cfg), model=type(model).__name__,
                      conventions=conventions(model), seed=self.seed, experiment_name=self.experiment_name,
                      leokit_version=__version__, torch_version=str(torch.__version__),
                      time=time.strftime('%Y-%m-%d %H:%M:%S')),
            state_dict=dict(model.state_dict()),
            message_hub=message_hub_state(self.message_hub))
        if save_optimizer:
            checkpoint['optimizer'] = self.optim_wrapper.state_dict()
        if save_param_scheduler:
            checkpoint['param_schedulers'] = scheduler_states(self.param_schedulers)
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        save_checkpoint(checkpoint, Path(out_dir) / filename)

    def _check_weights(self) -> None:
        """A rank's own losses may be finite while another's were not: look at the weights themselves."""
        finite = torch.stack([weight.detach().isfinite().all() for weight in self.bare_model.parameters()])
        if not finite.all():
            names = [name for name, _ in self.bare_model.named_parameters()]
            broken = [name for name, good in zip(names, finite.tolist()) if not good]
            raise UserError(f'{len(broken)} weights are no longer finite at iteration {self.iter} ({broken[0]}, ...), '
                            f'so no checkpoint was written; lower the learning rate or add optim_wrapper.clip_grad, '
                            f'and continue from the last checkpoint with --resume')

    def dump_config(self) -> None:
        """Nothing: MMEngine's constructor calls it, and what is refused later must not replace a good run's config."""

    def _save_config(self, replace: bool) -> None:
        """Save the config to the work dir, its references kept, so that it can be overridden as the original can."""
        if is_main_process():
            path = Path(self.work_dir, Path(self.cfg.filename or f'{self.timestamp}.py').name)
            if replace or not path.is_file():
                with atomic_path(path) as part:
                    with_references(self.cfg).dump(part)


def _start_worker(also: Callable[[int], None] | None, worker_id: int) -> None:
    ignore_signals(worker_id)
    if also is not None:
        also(worker_id)
