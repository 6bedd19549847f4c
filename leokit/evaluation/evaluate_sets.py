"""Evaluate a set of generated videos against a set of real ones, of any origin.

The path from a clip to a score, module by module:

1. :mod:`~leokit.evaluation.video_set` finds the usable videos of a folder or manifest.
2. :mod:`~leokit.evaluation.clip_sampling` samples the clips of every trial.
3. :mod:`~leokit.evaluation.feature_extraction` computes the features of all clips:
   :mod:`~leokit.evaluation.clip_loader` decodes and crops, :mod:`~leokit.evaluation.clip_preprocessing` resizes on the
   device, :mod:`~leokit.evaluation.reductions` runs the extractors and keeps one small array per clip.
4. :mod:`~leokit.evaluation.video_set_metrics` computes the metric of every trial with the formulas of
   :mod:`leokit.metrics`.
5. :mod:`~leokit.evaluation.uncertainty` combines the trials to a score, which :mod:`~leokit.evaluation.records` stores.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from leokit.evaluation.clip_sampling import Clip, plan_over_time, plan_trials, unique_clips
from leokit.evaluation.evaluation_jobs import EvaluationJob
from leokit.evaluation.feature_extraction import ClipFeatures, clip_features
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import NetworkInfo, ResultRecord, RunInfo, Score, SetInfo
from leokit.evaluation.uncertainty import score_of_trials
from leokit.evaluation.video_set import VideoSet
from leokit.evaluation.video_set_metrics import MetricResult, VideoSetMetric, metric_key
from leokit.utils import UserError


@dataclass(frozen=True)
class Compute:
    """Device and threads; none of it changes a value.

    Attributes:
        device (str): Device of the networks.
        workers (int): Decoding threads.
        cache_dir (Path, optional): Folder of cached features of real sets; None disables the cache.
    """

    device: str = 'cpu'
    workers: int = 2
    cache_dir: Path | None = None


@dataclass
class EvaluatedSet:
    """Clips and features of one of the two sets.

    Attributes:
        videos (VideoSet): The videos.
        plans (list): Indices of the clips of every trial, without clips that failed.
        windows (list): The same for every window over time.
        features (ClipFeatures): Features of all clips.
        warnings (list[str]): Sentences for the readers of a score.
    """

    videos: VideoSet
    plans: list[np.ndarray]
    windows: list[np.ndarray]
    features: ClipFeatures
    warnings: list[str] = field(default_factory=list)

    @property
    def clips(self) -> int:
        """Number of clips of a trial."""
        return min(len(plan) for plan in self.plans)

    @property
    def trials_differ(self) -> bool:
        """Whether trials use different clips."""
        return any(not np.array_equal(plan, self.plans[0]) for plan in self.plans[1:])

    def select(self, key: str, plan: np.ndarray) -> Tensor:
        """A feature of the clips of a plan; on the first process only."""
        return self.features.arrays[key][torch.from_numpy(plan)]

    def info(self) -> SetInfo:
        """The set as a result record describes it."""
        return self.videos.info(self.clips)


def evaluate_sets(real: VideoSet, fake: VideoSet, jobs: list[EvaluationJob], protocol: Protocol, *,
                  compute: Compute = Compute(), run: RunInfo | None = None) -> list[ResultRecord] | None:
    """Evaluate a set of generated videos against a set of real ones.

    Args:
        real (VideoSet): The real set.
        fake (VideoSet): The generated set.
        jobs (list[EvaluationJob]): The metrics, from :func:`~leokit.evaluation.evaluation_jobs.build_jobs`.
        protocol (Protocol): The protocol.
        compute (Compute): Device, threads and cache.
        run (RunInfo, optional): Model, step and versions.

    Returns:
        list[ResultRecord] | None: One record per job on the first process, None on the others.
    """
    _check_sizes(real, fake, protocol)
    over_time = any(job.metric.over_time for job in jobs)
    real_set = _extract_set(real, 'real', jobs, protocol, compute, over_time=False)
    fake_set = _extract_set(fake, 'fake', jobs, protocol, compute, over_time=over_time)
    if not is_main_process():
        return None
    shared = {entry.sha256 for entry in real.entries} & {entry.sha256 for entry in fake.entries}
    warnings = _split_warnings(real, protocol) + real_set.warnings + fake_set.warnings
    if shared:
        warnings.append(f'{len(shared)} videos are in both sets, byte for byte; the score is too good')
    run = run or RunInfo.now()
    return [_evaluate_job(job, real_set, fake_set, protocol, warnings, run) for job in jobs]


def _check_sizes(real: VideoSet, fake: VideoSet, protocol: Protocol) -> None:
    """Without a resolution in the protocol, both sets need the same size."""
    if protocol.frames.resolution is not None:
        return
    real_size, fake_size = (next(iter(videos.sizes(protocol))) for videos in (real, fake))
    if real_size != fake_size:
        raise UserError(f'the real videos are {real_size[1]}x{real_size[0]} and the generated ones '
                        f'{fake_size[1]}x{fake_size[0]}, and the protocol {protocol.name} defines no size; set one '
                        f'with --protocol-options frames.resolution={min(*real_size, *fake_size)}')


def _split_warnings(real: VideoSet, protocol: Protocol) -> list[str]:
    expected, split = protocol.sampling.split, real.filters.split
    if expected is None or split == expected:
        return []
    if split is None:
        return [f'the protocol {protocol.name} uses the {expected} split, and {real.source} has no splits; make sure '
                'that it contains that split and nothing else']
    return [f'the protocol {protocol.name} uses the {expected} split, and the real videos are of the {split} split']


def _extract_set(videos: VideoSet, name: str, jobs: list[EvaluationJob], protocol: Protocol, compute: Compute, *,
                 over_time: bool) -> EvaluatedSet:
    """Sample the clips of a set, compute their features and drop the clips that failed."""
    windows = videos.num_windows(protocol)
    plans = plan_trials(windows, protocol, name)
    later: list[list[Clip]] = plan_over_time(windows, protocol) if over_time else []
    clips, indices = unique_clips([*plans, *later])
    requests = list({job.request.key: job.request for job in jobs}.values())
    features = clip_features(
        videos, clips, protocol, requests, device=compute.device, workers=compute.workers,
        cache_dir=compute.cache_dir if name == 'real' else None, label=f'{name} clips')
    failed = np.asarray(sorted(features.failures), dtype=np.int64)
    kept = [plan[~np.isin(plan, failed)] for plan in indices]
    result = EvaluatedSet(videos, kept[:len(plans)], kept[len(plans):], features, videos.warnings(protocol))
    if len(failed):
        _report_failures(result, name, clips, protocol)
    if result.clips < protocol.sampling.num_clips:
        result.warnings.append(f'{videos.source} has {result.clips} clips, fewer than the '
                               f'{protocol.sampling.num_clips} of the protocol {protocol.name}')
    return result


def _report_failures(evaluated: EvaluatedSet, name: str, clips: Sequence[Clip], protocol: Protocol) -> None:
    """Clips that could not be decoded: a warning if the protocol allows fewer clips, else an error."""
    failures, source = evaluated.features.failures, evaluated.videos.source
    first = next(iter(failures))
    example = f'{evaluated.videos.entries[clips[first].video].name}: {failures[first]}'
    if protocol.sampling.fewer not in (name, 'both') or evaluated.clips < 2:
        raise UserError(f'{len(failures)} clips of {source} cannot be decoded ({example}); remove or repair those '
                        f'videos, or allow fewer clips with --protocol-options sampling.fewer={name}')
    evaluated.warnings.append(f'{len(failures)} clips of {source} could not be decoded ({example})')


def _evaluate_job(job: EvaluationJob, real: EvaluatedSet, fake: EvaluatedSet, protocol: Protocol, warnings: list[str],
                  run: RunInfo) -> ResultRecord:
    metric, request = job
    differ = fake.trials_differ or (metric.is_distance and real.trials_differ)
    results = _results_over_time(metric, request.key, real, fake) if metric.over_time \
        else _results_of_trials(metric, request.key, real, fake, differ)
    score = _score(metric, request.key, real, fake, results, differ)
    details = dict(results[0].details)
    if not metric.is_distance:
        own = metric.statistic(real.select(request.key, real.plans[0]), want_std=True)
        details.update(real_value=own.value, real_std=own.std)
        details.update({f'real_{key}': value for key, value in own.details.items()})
    frames = protocol.clips.length if request.reduction == 'frames' else 1
    warnings = [*warnings, *_score_warnings(metric, protocol, score, differ),
                *metric.warnings(request.dim, [real.clips * frames, fake.clips * frames])]
    return ResultRecord(
        metric=metric_key(metric.name, request.label, protocol, complete=protocol.is_complete(real.clips, fake.clips)),
        score=score, protocol=protocol.as_used(request.extractor), run=run,
        real=real.info(), fake=fake.info(),
        network=NetworkInfo(request.label, request.extractor.fingerprint(), request.dim),
        curve=_curve(results, protocol) if metric.over_time else results[0].curve,
        details=details, warnings=tuple(warnings))


def _results_of_trials(metric: VideoSetMetric, key: str, real: EvaluatedSet, fake: EvaluatedSet,
                       differ: bool) -> list[MetricResult]:
    """One result per trial; a single one, with its standard error, if all trials use the same clips."""
    trials = list(zip(real.plans, fake.plans))[:None if differ else 1]
    if not metric.is_distance:
        return [metric.statistic(fake.select(key, plan), want_std=not differ) for _, plan in trials]
    return [metric.compare(real.select(key, real_plan), fake.select(key, fake_plan), want_std=not differ)
            for real_plan, fake_plan in trials]


def _results_over_time(metric: VideoSetMetric, key: str, real: EvaluatedSet, fake: EvaluatedSet) -> list[MetricResult]:
    """One result per window of the generated videos."""
    windows = [fake.select(key, window) for window in fake.windows]
    if not metric.is_distance:
        return [metric.statistic(window, want_std=False) for window in windows]
    reference = real.select(key, real.plans[0])
    return [metric.compare(reference, window, want_std=False) for window in windows]


def _score(metric: VideoSetMetric, key: str, real: EvaluatedSet, fake: EvaluatedSet, results: list[MetricResult],
           differ: bool) -> Score:
    values = [result.value for result in results]
    if not metric.over_time:
        return score_of_trials(values, differ, lambda: results[0].std)
    windows = [fake.select(key, window) for window in fake.windows]
    return score_of_trials([float(np.mean(values))], False,
                           lambda: metric.mean_std(real.select(key, real.plans[0]), windows))


def _score_warnings(metric: VideoSetMetric, protocol: Protocol, score: Score, differ: bool) -> list[str]:
    sentences = []
    if protocol.sampling.trials > 1 and not differ and not metric.over_time:
        sentences.append(f'all {protocol.sampling.trials} trials would use the same clips, so {metric.name} is '
                         'computed once; its uncertainty is the standard error of the jackknife')
    if score.value is None:
        sentences.append(f'{metric.name} could not be measured: no clip has the features it needs')
    return sentences


def _curve(results: list[MetricResult], protocol: Protocol) -> dict:
    span = protocol.clips.span
    return dict(label='first frame', x=[window * span for window in range(len(results))],
                y=[result.value for result in results])
