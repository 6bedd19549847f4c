"""Measuring one set of videos against another, whoever made them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from leokit.evaluation.clip_sampling import Clip, plan_over_time, plan_trials, unique_clips
from leokit.evaluation.features import ClipFeatures, clip_features
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import NetworkInfo, ResultRecord, RunInfo, SetInfo
from leokit.evaluation.reductions import FeatureRequest
from leokit.evaluation.uncertainty import score_of_trials
from leokit.evaluation.video_set import VideoSet
from leokit.evaluation.video_set_metrics import (
    OVER_TIME, VIDEO_SET_METRICS, MetricResult, VideoSetMetric, feature_warnings, metric_key)
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError


@dataclass(frozen=True)
class Compute:
    """Where and how fast things run; none of it changes a value.

    Attributes:
        device (str): Device of the networks.
        workers (int): Decoding threads.
        cache_dir (Path, optional): Folder of cached features of real sets; None caches nothing.
    """

    device: str = 'cpu'
    workers: int = 2
    cache_dir: Path | None = None


class EvaluationJob(NamedTuple):
    """A metric with the feature it looks at."""

    metric: VideoSetMetric
    request: FeatureRequest


@dataclass
class EvaluatedSet:
    """Clips and features of one of the two sets.

    Attributes:
        videos (VideoSet): The set.
        plans (list): Places of the clips of every trial, after failures have gone.
        windows (list): The same for every window over time.
        features (ClipFeatures): Features of all clips.
        requested (int): Clips that a trial was meant to have.
    """

    videos: VideoSet
    plans: list[np.ndarray]
    windows: list[np.ndarray]
    features: ClipFeatures
    requested: int
    warnings: list[str] = field(default_factory=list)

    @property
    def clips(self) -> int:
        """Clips of a trial."""
        return min(len(plan) for plan in self.plans)

    @property
    def trials_differ(self) -> bool:
        """Whether trials look at different clips."""
        return any(not np.array_equal(plan, self.plans[0]) for plan in self.plans[1:])

    def trial(self, key: str, plan: np.ndarray) -> Tensor:
        """A feature of the clips of a plan; on the first process only."""
        return self.features.arrays[key][torch.from_numpy(plan)]

    def info(self) -> SetInfo:
        """For the record."""
        return self.videos.info(self.clips)


def build_jobs(names: Sequence[str], protocol: Protocol, extractors: Mapping[str, str] | None = None,
               options: Mapping[str, Mapping[str, Any]] | None = None) -> list[EvaluationJob]:
    """Build the measures and the extractors they need; one extractor of a type serves all of them.

    Args:
        names (Sequence[str]): Names of measures.
        protocol (Protocol): The protocol.
        extractors (Mapping, optional): Extractor type for a metric's name, with its twin over time; the key '' is for
            all video distances.
        options (Mapping, optional): Constructor arguments for an extractor type.

    Returns:
        list[EvaluationJob]: In the order of the names.

    Raises:
        UserError: If a metric or an extractor is unknown, or an extractor cannot be built.
    """
    chosen, built, jobs = dict(extractors or {}), {}, []
    for name in [*names, *(key for key in chosen if key)]:
        if name not in VIDEO_SET_METRICS:
            raise UserError(f'there is no metric {name!r}; choose from {", ".join(VIDEO_SET_METRICS)}')
    for name in dict.fromkeys(names):
        metric = VIDEO_SET_METRICS[name](protocol.arithmetic)
        kind = chosen.get(name) or chosen.get(name.removesuffix(OVER_TIME)) \
            or (chosen.get('') if metric.extractor is None else None) or metric.extractor or protocol.extractor
        if kind not in built:
            try:
                built[kind] = FEATURE_EXTRACTORS.build(dict((options or {}).get(kind, {}), type=kind))
            except UserError as error:
                raise UserError(f'{error} (--extractor {name}=TYPE chooses another network)') from error
        request = FeatureRequest(built[kind], metric.reduction)
        if request.reduction != 'clip' and request.extractor.kind != 'image':
            raise UserError(f'the metric {name} needs a feature of every frame, but {kind} describes whole clips; '
                            f'choose an image extractor, as in --extractor {name}=EfficientNetLite0Features')
        jobs.append(EvaluationJob(metric, request))
    if '' in chosen and chosen[''] not in built:  # asked for, and nothing that it could be used for
        raise UserError(f'--extractor {chosen[""]} is that of the video distances, and none is measured; name the '
                        f'metric as well, as in --extractor {names[0]}={chosen[""]}')
    return jobs


def evaluate_sets(real: VideoSet, fake: VideoSet, jobs: list[EvaluationJob], protocol: Protocol, *,
                  compute: Compute = Compute(), run: RunInfo | None = None) -> list[ResultRecord] | None:
    """Evaluate a set of generated videos against a set of real ones.

    Args:
        real (VideoSet): The real set.
        fake (VideoSet): The generated set.
        jobs (list[EvaluationJob]): What is measured, from :func:`build_jobs`.
        protocol (Protocol): How.
        compute (Compute): Device, threads and cache.
        run (RunInfo, optional): Who made the videos.

    Returns:
        list[ResultRecord] | None: One record for each job on the first process, None on the others.

    Raises:
        UserError: If there are fewer clips than the protocol asks for, or the sets cannot be compared.
    """
    _check_comparable(real, fake, protocol)
    over_time = any(job.metric.over_time for job in jobs)
    sides = {
        'real': _measure_side(real, 'real', jobs, protocol, compute, over_time=False),
        'fake': _measure_side(fake, 'fake', jobs, protocol, compute, over_time=over_time)}
    if not is_main_process():
        return None
    shared = {entry.sha256 for entry in real.entries} & {entry.sha256 for entry in fake.entries}
    warnings = _split_warnings(real, protocol) + sides['real'].warnings + sides['fake'].warnings
    if shared:
        warnings.append(f'{len(shared)} videos are in both sets, byte for byte; the score is flattered')
    run = run or RunInfo.now()
    return [_record(job, sides['real'], sides['fake'], protocol, warnings, run) for job in jobs]


def _split_warnings(real: VideoSet, protocol: Protocol) -> list[str]:
    """Whether the real set is the split that the protocol means."""
    wanted, taken = protocol.sampling.split, real.filters.split
    if wanted is None or taken == wanted:
        return []
    if taken is None:
        return [f'the protocol {protocol.name} means the {wanted} split, and {real.source} tells no splits; make sure '
                'that it holds that split and nothing else']
    return [f'the protocol {protocol.name} means the {wanted} split, and the real videos are of {taken}']


def _check_comparable(real: VideoSet, fake: VideoSet, protocol: Protocol) -> None:
    if protocol.frames.resolution is not None:
        return
    square = protocol.frames.aspect == 'center_crop'
    sizes = []
    for videos in (real, fake):
        height, width = videos.entries[0].height, videos.entries[0].width
        sizes.append((min(height, width),) * 2 if square else (height, width))
    if sizes[0] != sizes[1]:
        raise UserError(f'the real videos are {sizes[0][1]}x{sizes[0][0]} and the generated ones '
                        f'{sizes[1][1]}x{sizes[1][0]}, and the protocol {protocol.name} sets no size; set one with '
                        f'--protocol-options frames.resolution={min(min(sizes[0]), min(sizes[1]))}')


def _measure_side(videos: VideoSet, side: str, jobs: list[EvaluationJob], protocol: Protocol, compute: Compute, *,
                  over_time: bool) -> EvaluatedSet:
    """Plan the clips of a set, get their features and drop the clips that failed."""
    windows = videos.windows(protocol)
    plans = plan_trials(windows, protocol, side)
    later: list[list[Clip]] = plan_over_time(windows, protocol) if over_time else []
    clips, places = unique_clips([*plans, *later])
    requests = list({job.request.key: job.request for job in jobs}.values())
    features = clip_features(
        videos, clips, protocol, requests, device=compute.device, workers=compute.workers,
        cache_dir=compute.cache_dir if side == 'real' else None, label=f'{side} clips')
    failed = np.asarray(sorted(features.failures), dtype=np.int64)
    kept = [place[~np.isin(place, failed)] for place in places]
    result = EvaluatedSet(videos, kept[:len(plans)], kept[len(plans):], features, len(plans[0]),
                          videos.warnings(protocol))
    if len(failed):
        _report_failures(result, side, clips, protocol)
    if result.clips < protocol.sampling.num_clips:
        result.warnings.append(f'{videos.source} gives {result.clips} clips, fewer than the {protocol.name} '
                               f'protocol\'s {protocol.sampling.num_clips}')
    return result


def _report_failures(side: EvaluatedSet, name: str, clips: Sequence[Clip], protocol: Protocol) -> None:
    """Clips that could not be decoded: an error where the protocol wants them all, else a counted warning."""
    failures = side.features.failures
    first = next(iter(failures))
    example = f'{side.videos.entries[clips[first].video].name}: {failures[first]}'
    if protocol.sampling.fewer not in (name, 'both') or side.clips < 2:
        raise UserError(f'{len(failures)} clips of {side.videos.source} cannot be decoded ({example}); remove or mend '
                        f'those videos, or allow fewer clips with --protocol-options sampling.fewer={name}')
    side.warnings.append(f'{len(failures)} clips of {side.videos.source} could not be decoded ({example})')


def _record(job: EvaluationJob, real: EvaluatedSet, fake: EvaluatedSet, protocol: Protocol, warnings: list[str],
            run: RunInfo) -> ResultRecord:
    metric, request = job
    results, warnings = _results(metric, request.key, real, fake), list(warnings)
    differ = not metric.over_time and (fake.trials_differ or (metric.paired and real.trials_differ))
    values = [result.value for result in results]
    score = score_of_trials([float(np.mean(values))] if metric.over_time else values, differ,
                            lambda: _jackknife(metric, request.key, real, fake, results))
    details = dict(results[0].details)
    if not metric.paired:
        own = metric.describe(real.trial(request.key, real.plans[0]), want_std=True)
        details.update(real_value=own.value, real_std=own.std)
        details.update({f'real_{key}': value for key, value in own.details.items()})
    if protocol.sampling.trials > 1 and not differ and not metric.over_time:
        warnings.append(f'all {protocol.sampling.trials} trials would see the same clips, so {metric.name} is '
                        "measured once; its uncertainty is the jackknife's")
    if score.value is None:
        warnings.append(f'{metric.name} could not be measured: no clip has the features it needs')
    if metric.over_time:
        span = protocol.clips.span
        curve = dict(label='first frame', x=[window * span for window in range(len(results))],
                     y=[result.value for result in results])
    else:
        curve = results[0].curve
    frames = protocol.clips.length if request.reduction == 'frames' else 1
    warnings += feature_warnings(metric, request.dim, [real.clips * frames, fake.clips * frames])
    return ResultRecord(
        metric=metric_key(metric.name, request.label, protocol), score=score, protocol=protocol.to_dict(), run=run,
        real=real.info(), fake=fake.info(),
        network=NetworkInfo(request.label, request.extractor.fingerprint(), request.dim), curve=curve,
        details=details, warnings=tuple(warnings))


def _jackknife(metric: VideoSetMetric, key: str, real: EvaluatedSet, fake: EvaluatedSet,
               results: list[MetricResult]) -> float | None:
    """The uncertainty where repeating would look at the same clips."""
    if not metric.over_time:
        return results[0].std
    return metric.mean_std(real.trial(key, real.plans[0]), [fake.trial(key, window) for window in fake.windows])


def _results(metric: VideoSetMetric, key: str, real: EvaluatedSet, fake: EvaluatedSet) -> list[MetricResult]:
    """One result for each trial, or for each window over time."""
    if metric.over_time:
        windows = [fake.trial(key, window) for window in fake.windows]
        if not metric.paired:
            return [metric.describe(window, want_std=False) for window in windows]
        reference = real.trial(key, real.plans[0])
        return [metric.compare(reference, window, want_std=False) for window in windows]
    alike = not (fake.trials_differ or (metric.paired and real.trials_differ))
    trials = list(zip(real.plans, fake.plans))[:1 if alike else None]
    if not metric.paired:
        return [metric.describe(fake.trial(key, plan), alike) for _, plan in trials]
    return [metric.compare(real.trial(key, one), fake.trial(key, other), alike) for one, other in trials]
