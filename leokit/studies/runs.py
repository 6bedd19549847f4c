"""Runs of a study: one variant under one seed, with its folder, config and state.

The folder has ``config.py``, the resolved config; ``train`` and ``test``, the work dirs of the two commands; and, once
the run is done, ``metrics.json``. The state is derived from these files alone, so an interrupted study resumes when it
is planned again.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from leokit.deprecation import METRIC_NAMES
from leokit.engine.checkpoint_files import checkpoint_name, checkpoints_by_iteration
from leokit.studies.study import Study, Variant
from leokit.utils import UserError, load_config
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.settings_file import changed_keys

# Keys of a config that determine the weights, and the scores of given weights; others concern logging and speed.
TRAINING_KEYS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'custom_hooks',
                 'randomness', 'load_from', 'data_preprocessor')
TEST_KEYS = ('test_dataloader', 'test_evaluator', 'test_cfg', 'animator')


@dataclass(frozen=True)
class Run:
    """One variant under one seed.

    Attributes:
        variant (Variant): The variant.
        seed (int): The seed.
        folder (Path): Folder of all its files.
        config (Config): The resolved config.
        after (Run, optional): The run of ``variant.after`` under the same seed.
    """

    variant: Variant
    seed: int
    folder: Path
    config: Config
    after: 'Run | None' = None

    @property
    def name(self) -> str:
        """Name in messages."""
        return f'{self.variant.name}, seed {self.seed}'

    @property
    def config_file(self) -> Path:
        """File of the resolved config."""
        return self.folder / 'config.py'

    @property
    def metrics_file(self) -> Path:
        """File of the scores, which marks a finished run."""
        return self.folder / 'metrics.json'

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint of the training: its own, or that of ``after`` if the variant is only tested."""
        if self.after is not None and not self.variant.train:
            return self.after.checkpoint
        return self.folder / 'train' / checkpoint_name(self.config.train_cfg.max_iters)

    @property
    def state(self) -> str:
        """``'done'``, ``'trained'``, ``'at iteration n'`` or ``'new'``."""
        if self.metrics_file.is_file():
            return 'done'
        if self.checkpoint.is_file():
            return 'trained'
        checkpoints = checkpoints_by_iteration(self.folder / 'train')
        return f'at iteration {next(iter(checkpoints))}' if checkpoints else 'new'

    @property
    def is_ready(self) -> bool:
        """Whether the training that it depends on is finished."""
        return self.after is None or self.after.checkpoint.is_file()

    def scores(self) -> dict[str, float] | None:
        """The scores of the test; None if the run is not done."""
        try:
            scores = json.loads(self.metrics_file.read_text())
            if not all(value is None or isinstance(value, (int, float)) for value in scores.values()):
                raise ValueError('a score is no number')
            return {METRIC_NAMES.get(key, key): value for key, value in scores.items()}
        except FileNotFoundError:
            return None
        except (ValueError, AttributeError, RecursionError) as error:
            raise UserError(f'{self.metrics_file} is damaged ({error}); delete it to test that run again') from error

    def prepare(self) -> None:
        """Write the config; delete the scores of another test.

        Raises:
            UserError: If the folder has a training with another config.
        """
        if self.config_file.is_file():
            before, after = load_config(self.config_file).to_dict(), self.config.to_dict()
            changed = changed_keys(before, after, TRAINING_KEYS)
            if changed and self.state != 'new' and self.variant.train:
                raise UserError(f'{self.folder} holds a run whose {", ".join(changed)} differ from the study; pass '
                                'another --work-dir, or delete that folder')
            if changed or changed_keys(before, after, TEST_KEYS):
                self.metrics_file.unlink(missing_ok=True)
        with clear_write_errors(self.config_file):
            write_bytes(self.config_file, self.config.pretty_text.encode())


def plan_runs(study: Study, work_dir: str | Path) -> list[Run]:
    """All runs of a study, seed by seed, so that comparisons are complete early. Nothing is written."""
    runs: dict[tuple[str, int], Run] = {}
    for seed in study.seeds:
        for variant in study.variants:
            after = runs.get((variant.after, seed))
            # a copy, because merging removes _delete_ from the options
            options = _with_files(copy.deepcopy({**study.options, **variant.options}), after)
            config = load_config(variant.config, options)
            for part in config.values():  # merging keeps _delete_ where there was nothing to delete
                if isinstance(part, dict):
                    part.pop('_delete_', None)
            if not (config.get('train_cfg') or {}).get('max_iters'):
                raise UserError(f'{variant.config} has no train_cfg.max_iters, which a study needs to tell whether a '
                                'training is finished; set it')
            config.randomness = dict(config.get('randomness') or {}, seed=seed)
            folder = Path(work_dir) / variant.folder / f'seed_{seed}'
            runs[variant.name, seed] = Run(variant, seed, folder, config, after)
    return list(runs.values())


def _with_files(value: Any, after: Run | None) -> Any:
    """Options in which the files of the run that is waited for are filled in."""
    if isinstance(value, dict):
        return {key: _with_files(part, after) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_files(part, after) for part in value)
    if after is None or not isinstance(value, str):
        return value
    return value.replace('{checkpoint}', str(after.checkpoint)).replace('{config}', str(after.config_file))
