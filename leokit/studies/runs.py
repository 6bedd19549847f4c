"""One variant under one seed: its folder, its config, and how far it is.

A run's folder holds ``config.py``, the resolved config; ``train`` and ``test``, the work dirs of the two tools; and,
once it is done, ``metrics.json``. There is no other record of progress, so a study that was killed is continued by
planning it again.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from leokit.deprecation import METRIC_NAMES
from leokit.engine.checkpoint_files import checkpoint_name, checkpoints_by_iteration
from leokit.studies.study import Study, Variant
from leokit.utils import UserError, load_config
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.settings_file import changed_keys

# Of a config: what decides the weights, and what decides their scores. The rest is logging and speed.
TRAINING_KEYS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'custom_hooks',
                 'randomness', 'load_from', 'data_preprocessor')
TEST_KEYS = ('test_dataloader', 'test_evaluator', 'test_cfg', 'animator')


@dataclass(frozen=True)
class Run:
    """A variant under one seed.

    Attributes:
        variant (Variant): What is trained.
        seed (int): Its seed.
        folder (Path): Where everything of it lies.
        config (Config): The resolved config.
    """

    variant: Variant
    seed: int
    folder: Path
    config: Config

    @property
    def name(self) -> str:
        """What people call it."""
        return f'{self.variant.name}, seed {self.seed}'

    @property
    def config_file(self) -> Path:
        """The resolved config on disk."""
        return self.folder / 'config.py'

    @property
    def metrics_file(self) -> Path:
        """The scores; there once the run is done."""
        return self.folder / 'metrics.json'

    @property
    def checkpoint(self) -> Path:
        """What the training leaves in the end."""
        return self.folder / 'train' / checkpoint_name(self.config.train_cfg.max_iters)

    @property
    def state(self) -> str:
        """``'done'``, ``'trained'``, ``'at iteration n'`` or ``'new'``."""
        if self.metrics_file.is_file():
            return 'done'
        if self.checkpoint.is_file():
            return 'trained'
        known = checkpoints_by_iteration(self.folder / 'train')
        return f'at iteration {next(iter(known))}' if known else 'new'

    def scores(self) -> dict[str, float] | None:
        """What the test measured; None if the run is not done.

        Raises:
            UserError: If the file is damaged.
        """
        try:
            scores = json.loads(self.metrics_file.read_text())
            return {METRIC_NAMES.get(key, key): value for key, value in scores.items()}
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UserError(f'{self.metrics_file} is damaged ({error}); delete it to measure that run again') from error

    def prepare(self) -> None:
        """Write the config; scores of another test are dropped.

        Raises:
            UserError: If the folder holds a training by another config.
        """
        if self.config_file.is_file():
            before = Config.fromfile(str(self.config_file)).to_dict()
            after = self.config.to_dict()
            changed = changed_keys(before, after, TRAINING_KEYS)
            if changed and self.state != 'new':
                raise UserError(f'{self.folder} holds a run whose {", ".join(changed)} differ from what the study says '
                                'now; pass another --work-dir, or delete that folder')
            if changed or changed_keys(before, after, TEST_KEYS):
                self.metrics_file.unlink(missing_ok=True)
        with clear_write_errors(self.config_file):
            write_bytes(self.config_file, self.config.pretty_text.encode())


def plan_runs(study: Study, work_dir: str | Path) -> list[Run]:
    """All runs of a study, seed by seed, so that comparisons are complete early. Nothing is written.

    Args:
        study (Study): The study.
        work_dir (str | Path): Its folder.

    Returns:
        list[Run]: Variants times seeds.

    Raises:
        UserError: If a config cannot be read, or trains otherwise than by iterations.
    """
    runs = []
    for seed in study.seeds:
        for variant in study.variants:
            # merging takes the marks _delete_ out of what it is given, and leaves those that found nothing to delete
            config = load_config(variant.config, copy.deepcopy({**study.options, **variant.options}))
            for part in config.values():
                if isinstance(part, dict):
                    part.pop('_delete_', None)
            if not (config.get('train_cfg') or {}).get('max_iters'):
                raise UserError(f'{variant.config} has no train_cfg.max_iters, so nobody could tell when a run of it '
                                'is done; set it')
            config.randomness = dict(config.get('randomness') or {}, seed=seed)
            runs.append(Run(variant, seed, Path(work_dir) / variant.folder / f'seed_{seed}', config))
    return runs
