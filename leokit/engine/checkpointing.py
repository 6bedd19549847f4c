"""The half of LeoRunner that starts from checkpoints and writes them."""

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import Runner
from torch import nn

from leokit.engine.checkpoint_files import StartCheckpoint, find_start_checkpoint, newest_checkpoint
from leokit.engine.data_record import SKIP_KEY, check_other_data, check_own_data, describe_data, named_checkpoints
from leokit.engine.message_hub import load_message_hub_state, message_hub_state
from leokit.engine.resume_state import check_resumable, restore_optimizer, restore_schedulers, scheduler_states
from leokit.engine.weight_loading import TRAINING_ONLY, check_values, conventions, load_weights
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.utils.config_data import config_to_data
from leokit.utils.errors import UserError, format_list
from leokit.utils.files import write_bytes
from leokit.utils.model_folder import find_model
from leokit.utils.modules import unwrap_model
from leokit.utils.references import with_references
from leokit.version import __version__


class CheckpointingRunner(Runner):
    """Runner whose checkpoints hold plain data, load with ``weights_only=True`` and resume exactly."""

    resumed_from: Path | None = None
    _start: StartCheckpoint | None = None
    _start_is_known = False
    _trains = False
    _data: dict[str, Any] | None = None  # see leokit.engine.data_record

    @property
    def bare_model(self) -> nn.Module:
        """The model without the wrapper of distributed training."""
        return unwrap_model(self.model)

    # ---- starting from a checkpoint --------------------------------------------
    def load_or_resume(self) -> None:
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
        """Load the weights of a checkpoint into the model and return the checkpoint.

        Args:
            filename (str | Path): The file.
            map_location (str): The device on which it is read.
            strict (bool): False loads whatever fits.
        """
        checkpoint = load_checkpoint(filename, map_location)
        self._load_from_checkpoint(Path(filename), checkpoint, strict)
        self._has_loaded = True
        return checkpoint

    def resume(self, filename: str | Path) -> None:
        """Continue the training of a checkpoint."""
        self._resume_from(Path(filename), load_checkpoint(filename))
        self._has_loaded = True

    def _find_start(self, training: bool) -> None:
        """Rank 0 chooses the file to start from; all ranks read it, or raise the same error."""
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
            check_resumable(self._start.checkpoint, str(self._start.path))
            self._adopt_seed(self._start.checkpoint['meta'].get('seed'))

    def _check_data(self, training: bool) -> None:
        """Record the data of this training, and compare it with that of the checkpoints it is based on.

        Of a test, the test data are compared, and overlaps are warnings.
        """
        warn, strict = self.logger.warning, training and self.cfg.get(SKIP_KEY, True)
        self._data = describe_data(self.cfg)
        if training:
            check_own_data(self._data, warn)
        own = self._data if training else {'test': self._data.get('test')}
        others = {} if self._start is None else {str(self._start.path): self._start.checkpoint}
        for key, path in named_checkpoints(self.cfg).items():
            shipped = find_model(path) is not None
            if not shipped and not Path(path).exists():
                continue
            is_work_dir = Path(path).is_dir() and not shipped
            newest = newest_checkpoint(path, warn) if is_work_dir else (path, load_checkpoint(path))
            if newest is not None:
                others[f'{key} {newest[0]}'] = newest[1]
        for name, checkpoint in others.items():
            data = (checkpoint.get('meta') or {}).get('data')
            if data:
                check_other_data(own, data, name, strict=strict, warn=warn)
            else:
                self.logger.info(f'{name} does not record the identities it was trained on, so it cannot be checked '
                                 'that this config tests on others')

    def _adopt_seed(self, seed: int | None) -> None:
        # data order and noise are functions of the seed, so a resumed training needs that of the checkpoint
        if seed is None or seed == self.seed:
            return
        if self._randomness_cfg.get('seed') is not None:
            self.logger.warning(f'the resumed training has seed {seed}, which replaces {self.seed}')
        self._randomness_cfg = {**self._randomness_cfg, 'seed': seed}
        self.set_randomness(**self._randomness_cfg)

    def _load_from_checkpoint(self, path: Path, checkpoint: dict[str, Any], strict: bool) -> None:
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        tolerated = load_weights(self.bare_model, checkpoint['state_dict'], source=str(path), strict=strict,
                                 optional=TRAINING_ONLY, meta=checkpoint.get('meta'))
        self.logger.info(f'loaded {path}')
        if tolerated:
            self.logger.warning(f'{len(tolerated)} keys of {path} were missing, unexpected or of another shape '
                                f'({format_list(tolerated)})')

    def _resume_from(self, path: Path, checkpoint: dict[str, Any]) -> None:
        check_resumable(checkpoint, str(path))
        self.resumed_from = path
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        meta = checkpoint['meta']
        # training continues with the raw weights, not with their average
        weights = {**checkpoint['state_dict'], **checkpoint.get('raw_state_dict', {})}
        check_values(self.bare_model, checkpoint['state_dict'], str(path))  # of an average, which goes on as well
        load_weights(self.bare_model, weights, source=str(path), meta=meta)
        self.train_loop._iter, self.train_loop._epoch = meta['iter'], meta['epoch']
        load_message_hub_state(self.message_hub, checkpoint['message_hub'])
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        restore_optimizer(self.optim_wrapper, checkpoint['optimizer'], str(path))
        if self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        differences = restore_schedulers(self.param_schedulers, checkpoint['param_schedulers'], str(path))
        if differences:
            self.logger.warning(
                f'the learning rate follows the schedule in {path}, not the config ({", ".join(differences)}), and '
                f'stays constant after its end; for a new schedule start from the weights: load_from={path} without '
                f'--resume')
        self.logger.info(f'resumed {path} at iteration {self.iter}')

    # ---- saving ----------------------------------------------------------------
    def save_checkpoint(self, out_dir: str | Path, filename: str, file_client_args: None = None,
                        save_optimizer: bool = True, save_param_scheduler: bool = True,
                        meta: dict[str, Any] | None = None, by_epoch: bool = True, backend_args: None = None) -> None:
        """Write a checkpoint; every rank calls this, rank 0 writes.

        Args:
            out_dir (str | Path): The folder.
            filename (str): The file's name.
            file_client_args (None): In the signature because MMEngine's hooks pass it.
            save_optimizer (bool): Include the state of the optimizer.
            save_param_scheduler (bool): Include the states of the parameter schedulers.
            meta (dict, optional): Further entries of ``meta``; its ``iter`` and ``epoch`` have precedence.
            by_epoch (bool): True if the caller is between epochs, False if it is between iterations.
            backend_args (None): As ``file_client_args``.
        """
        if file_client_args or backend_args:
            raise UserError('checkpoints are written to the file system only; remove file_client_args and '
                            'backend_args from the checkpoint hook')
        self.call_hook('before_checkpoint')
        self._check_weights()
        if not is_main_process():
            return
        progress = dict(iter=self.iter if by_epoch else self.iter + 1, epoch=self.epoch + 1 if by_epoch else self.epoch)
        checkpoint = dict(
            meta=self._meta({**progress, **(meta or {})}),
            state_dict=dict(self.bare_model.state_dict()),
            message_hub=message_hub_state(self.message_hub))
        if save_optimizer:
            checkpoint['optimizer'] = self.optim_wrapper.state_dict()
        if save_param_scheduler:
            checkpoint['param_schedulers'] = scheduler_states(self.param_schedulers)
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        save_checkpoint(checkpoint, Path(out_dir) / filename)

    def _meta(self, entries: dict[str, Any]) -> dict[str, Any]:
        return dict(**entries, cfg=config_to_data(self.cfg), model=type(self.bare_model).__name__,
                    conventions=conventions(self.bare_model), seed=self.seed,
                    data=describe_data(self.cfg) if self._data is None else self._data,
                    experiment_name=self.experiment_name, leokit_version=__version__,
                    torch_version=str(torch.__version__),
                    time=time.strftime('%Y-%m-%d %H:%M:%S'))

    def _check_weights(self) -> None:
        # the losses of this rank can be finite where those of another were not, but all ranks share the weights
        finite = torch.stack([weight.detach().isfinite().all() for weight in self.bare_model.parameters()])
        if not finite.all():
            names = [name for name, _ in self.bare_model.named_parameters()]
            broken = [name for name, good in zip(names, finite.tolist()) if not good]
            raise UserError(f'{len(broken)} weights are no longer finite at iteration {self.iter} ({broken[0]}, ...), '
                            f'so no checkpoint was written; lower the learning rate or add optim_wrapper.clip_grad, '
                            f'and continue from the last checkpoint with --resume')

    def dump_config(self) -> None:
        """Do nothing: MMEngine calls this in the constructor, before it is clear that the run can start."""

    def _save_config(self, replace: bool) -> None:
        """Save the config to the work dir with its references, so that it accepts the same overrides."""
        if is_main_process():
            path = Path(self.work_dir, Path(self.cfg.filename or f'{self.timestamp}.py').name)
            if replace or not path.is_file():
                saved = with_references(self.cfg)
                same = saved._cfg_dict == self.cfg._cfg_dict  # its text has been formatted
                write_bytes(path, (self.cfg if same else saved).pretty_text.encode())
