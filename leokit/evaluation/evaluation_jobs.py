"""Evaluation jobs: the metrics of an evaluation, each with the extractor of the features that it needs."""

from typing import Any, Mapping, NamedTuple, Sequence

from leokit.evaluation.protocol import Protocol
from leokit.evaluation.reductions import FeatureRequest
from leokit.evaluation.video_set_metrics import OVER_TIME, VIDEO_SET_METRICS, VideoSetMetric
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError
from leokit.utils.option_text import read_options
from leokit.utils.seeds import keep_random_state


class EvaluationJob(NamedTuple):
    """A metric and the feature that it needs."""

    metric: VideoSetMetric
    request: FeatureRequest


def build_jobs(names: Sequence[str], protocol: Protocol, extractors: Mapping[str, str] | None = None,
               options: Mapping[str, Mapping[str, Any]] | None = None) -> list[EvaluationJob]:
    """Build metrics and their extractors; metrics with the same extractor type share one extractor.

    Args:
        names (Sequence[str]): Names of metrics in ``VIDEO_SET_METRICS``.
        protocol (Protocol): The protocol.
        extractors (Mapping, optional): Extractor type by name of a metric, which is also used for the metric over time.
            The key '' stands for all video distances.
        options (Mapping, optional): Constructor arguments by extractor type.

    Returns:
        list[EvaluationJob]: In the order of the names.
    """
    chosen, built, jobs = dict(extractors or {}), {}, []
    for name in [*names, *(key for key in chosen if key)]:
        if name not in VIDEO_SET_METRICS:
            raise UserError(f'there is no metric {name!r}; choose from {", ".join(VIDEO_SET_METRICS)}')
    for name in dict.fromkeys(names):
        metric = VIDEO_SET_METRICS[name](protocol.arithmetic)
        kind = _extractor_type(metric, protocol, chosen)
        if kind not in built:
            try:
                with keep_random_state():  # weights are initialized before they are loaded
                    built[kind] = FEATURE_EXTRACTORS.build(_extractor_config(kind, (options or {}).get(kind, {})))
            except UserError as error:
                raise UserError(f'{error} (--extractor {name}=TYPE chooses another network)') from error
        request = FeatureRequest(built[kind], metric.reduction)
        if request.reduction != 'clip' and request.extractor.kind != 'image':
            raise UserError(f'the metric {name} needs a feature of every frame, but {kind} describes whole clips; '
                            f'choose an image extractor, as in --extractor {name}=EfficientNetLite0Features')
        jobs.append(EvaluationJob(metric, request))
    if '' in chosen and chosen[''] not in built:
        raise UserError(f'--extractor {chosen[""]} applies to video distances, but none is evaluated; name the metric '
                        f'it is for, as in --extractor {names[0]}={chosen[""]}')
    return jobs


def _extractor_config(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The config of an extractor, texts of the command line read as its constructor expects them."""
    known = FEATURE_EXTRACTORS.get(kind)
    return dict(read_options(options, known) if known else options, type=kind)


def _extractor_type(metric: VideoSetMetric, protocol: Protocol, chosen: Mapping[str, str]) -> str:
    """The type chosen for the metric, else the metric's default, else the protocol's."""
    by_name = chosen.get(metric.name) or chosen.get(metric.name.removesuffix(OVER_TIME))
    by_kind = chosen.get('') if metric.extractor is None else None
    return by_name or by_kind or metric.extractor or protocol.extractor
