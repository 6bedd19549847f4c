"""Statistics of generated motion in the parameters of SyntheticFaces, which animators of all kinds share."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.analysis.code_probe import labeled_frames
from leokit.datasets import CodeCache
from leokit.evaluation.runner_metrics import MotionStatistics
from leokit.metrics.linear_probe import LinearMap, fit_linear_map, linear_probe
from leokit.registry import METRICS
from leokit.synthetic_faces import SyntheticTruth, load_truth
from leokit.utils import UserError

# Without smile, brows and gaze, which codes of trained animators hardly predict.
PARAMETERS = ('yaw', 'pitch', 'roll', 'tx', 'ty', 'scale', 'mouth_open', 'blink')
DISTANCES = ('frechet-codes_dt', 'frechet-residuals_dt')


class _Probe(NamedTuple):
    truth: SyntheticTruth
    columns: list[int]  # of the parameters
    scale: Tensor  # (K,), standard deviations of the true parameters
    read: LinearMap  # from codes to true parameters
    r2: list[float]


@METRICS.register_module()
class ParameterMotionStatistics(BaseMetric):
    """:class:`MotionStatistics` of motion parameters that a linear map reads off the codes.

    A Fréchet distance of codes does not compare models whose animators have different code spaces; one of parameters
    does. The map is fitted on the codes and the ground truth of one split. Every parameter is in units of its standard
    deviation there.

    Predictions hold ``generated`` and ``real``, motion codes as for :class:`MotionStatistics`, and ``name`` and
    ``start``, the video of the real ones and its first frame. Keys:

    - Those of :class:`MotionStatistics`: parameters read off generated codes, against those read off real codes.
    - ``true_frechet-codes_dt``, ``true_frechet-residuals_dt``: read off generated codes, against the true parameters of
      the same frames, which are the same for all animators.
    - ``limit_frechet-codes_dt``, ``limit_frechet-residuals_dt``: read off real codes, against the true parameters: what
      a perfect model of this animator's codes would have.
    - ``r2_NAME``: coefficient of determination of the map on another split.

    Args:
        codes_dir (str): Code cache of the animator.
        ground_truth (str): Folder of the dataset.
        parameters (Sequence[str]): Motion parameters.
        fit (str): Split that the map is fitted on.
        score (str): Split that ``r2_NAME`` is measured on.
        segments (int): As for :class:`MotionStatistics`.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'parameters'

    def __init__(self, codes_dir: str, ground_truth: str, *, parameters: Sequence[str] = PARAMETERS, fit: str = 'train',
                 score: str = 'test', segments: int = 4, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.codes_dir = codes_dir
        self.ground_truth = ground_truth
        self.parameters = tuple(parameters)
        self.fit = fit
        self.score = score
        self.segments = segments

    @cached_property
    def _probe(self) -> _Probe:
        """Fitted when the first predictions come, since a config is also built where there are no codes."""
        truth, cache = load_truth(self.ground_truth), CodeCache(self.codes_dir)
        unknown = sorted(set(self.parameters) - set(truth.motion_names))
        if unknown:
            raise UserError(f'{unknown[0]} is no motion parameter; choose from {", ".join(truth.motion_names)}')
        columns = [truth.motion_names.index(name) for name in self.parameters]
        train, test = labeled_frames(cache, truth, self.fit), labeled_frames(cache, truth, self.score)
        motion = train.motion[:, columns]
        scale = motion.double().std(0)
        still = [name for name, deviation in zip(self.parameters, scale.tolist()) if not deviation]
        if still:  # such as mouth_open in clips that only nod
            raise UserError(f'{still[0]} does not change in the split {self.fit} of {self.ground_truth}; leave it out '
                            f'of parameters of {type(self).__name__}')
        return _Probe(truth, columns, scale, fit_linear_map(train.codes, motion),
                      linear_probe(train.codes, motion, test.codes, test.motion[:, columns]).tolist())

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        rows = [self._read(sample) for sample in data_samples]
        pairs = dict(read=('generated', 'real'), true=('generated', 'true'), limit=('real', 'true'))
        columns = []
        for fake, real in pairs.values():
            metric = MotionStatistics(self.segments)
            metric.process(data_batch, [dict(generated=row[fake], real=row[real]) for row in rows])
            columns.append(metric.results)
        self.results.extend(dict(zip(pairs, row)) for row in zip(*columns))

    def compute_metrics(self, results: list) -> dict[str, float]:
        def statistics(pair: str) -> dict[str, float]:
            return MotionStatistics(self.segments).compute_metrics([result[pair] for result in results])
        metrics = statistics('read')
        for pair in ('true', 'limit'):
            measured = statistics(pair)
            metrics.update({f'{pair}_{key}': measured[key] for key in DISTANCES if key in measured})
        metrics.update({f'r2_{name}': value for name, value in zip(self.parameters, self._probe.r2)})
        return metrics

    def _read(self, sample: dict) -> dict[str, Tensor]:
        """Standardized parameters of the generated, the real and the true motion of a prediction."""
        probe = self._probe
        first, frames = int(sample['start']), sample['real'].shape[-2]
        try:
            motion = probe.truth.motion[probe.truth.index(sample['name'])]
        except KeyError as error:
            raise UserError(f'{self.ground_truth} has no ground truth of {sample["name"]}; set ground_truth of '
                            f'{type(self).__name__} to the dataset of the codes') from error
        true = torch.from_numpy(motion[first:first + frames][:, probe.columns])
        read = {key: probe.read(sample[key].detach().cpu()) for key in ('generated', 'real')}
        return {key: (values / probe.scale).float() for key, values in dict(read, true=true).items()}
