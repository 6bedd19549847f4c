"""Metrics of sets of videos: FVD, KVD, FID of frames, ACD, content drift, landmark jitter.

Each metric defines the feature that it needs of a clip (extractor and reduction) and computes a value from the features
of all clips of a trial. The formulas are in :mod:`leokit.metrics`. To add a metric, write a subclass of
:class:`VideoSetMetric` and add it to ``VIDEO_SET_METRICS``.
"""

from dataclasses import dataclass, field
from typing import Any, Sequence

import torch
from einops import rearrange
from torch import Tensor

from leokit.evaluation.protocol import ArithmeticRule, Protocol
from leokit.evaluation.uncertainty import jackknife_std
from leokit.metrics.acd import detected_frames
from leokit.metrics.fvd import frechet_distance
from leokit.metrics.kvd import kernel_distance, polynomial_mmd

STANDARD_VIDEO_LABELS = ('i3d', 'i3d_styleganv')  # networks that a bare "fvd" or "kvd" stands for
OVER_TIME = '_over_time'  # suffix of metrics of successive windows
KERNEL_SCALE = 1000  # StyleGAN reports its kernel distance times 1000


@dataclass(frozen=True)
class MetricResult:
    """The value of a metric in one trial."""

    value: float
    std: float | None = None  # jackknife standard error, if it was requested
    curve: dict[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)


def metric_key(name: str, label: str, protocol: Protocol, *, complete: bool = True) -> str:
    """Key of a metric in records and logs.

    It is the bare name only for the network and a published protocol that the literature means by that name.

    Args:
        name (str): Name of the metric.
        label (str): Label of the feature network.
        protocol (Protocol): The protocol.
        complete (bool): False if the sets were not those of the protocol, such as fewer clips.

    Returns:
        str: As in ``fvd``, ``fvd-efficientnet_lite0_dt@16x1`` or ``acd-dlib_identity``.
    """
    standard = name in ('fvd', 'kvd') and label in STANDARD_VIDEO_LABELS
    return name + ('' if standard else f'-{label}') + (protocol.tag if complete else protocol.clip_tag)


class VideoSetMetric:
    """Base class of the metrics.

    Attributes:
        name (str): Name on the command line and in keys.
        reduction (str): What is kept of the features of a clip; see :mod:`leokit.evaluation.reductions`.
        extractor (str, optional): Default extractor type; None is the protocol's.
        is_distance (bool): A distance of the generated from the real set, as opposed to a statistic of one set, which
            is reported for both sets.
        over_time (bool): Evaluates successive windows of the generated videos.
    """

    name: str
    reduction: str
    extractor: str | None = None
    is_distance = True
    over_time = False

    def __init__(self, arithmetic: ArithmeticRule) -> None:
        self.arithmetic = arithmetic

    def distance(self, real: Tensor, fake: Tensor) -> float:
        """The distance of two sets of features; distances implement it."""
        raise NotImplementedError

    def statistic(self, features: Tensor, want_std: bool) -> MetricResult:
        """The value of one set; metrics that are no distance implement it."""
        raise NotImplementedError

    def compare(self, real: Tensor, fake: Tensor, want_std: bool) -> MetricResult:
        """The distance in one trial, and its standard error if requested.

        Clips without a feature (such as clips without a face in any frame) are left out and counted.
        """
        known = [features[features.flatten(1).isfinite().any(1)] for features in (real, fake)]
        details = {f'{name}_clips_without_feature': len(features) - len(kept)
                   for name, features, kept in zip(('real', 'fake'), (real, fake), known) if len(kept) < len(features)}
        if min(map(len, known)) < 2:
            return MetricResult(float('nan'), details=details)
        std = jackknife_std(self.distance, *known) if want_std else None
        return MetricResult(self.distance(*known), std, details=details)

    def warnings(self, dim: int, counts: Sequence[int]) -> list[str]:
        """Sentences on an estimate from ``counts`` samples of each set, of ``dim`` dimensions."""
        return []


class FVD(VideoSetMetric):
    """FVD: Fréchet distance of clip features."""

    name, reduction = 'fvd', 'clip'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        return frechet_distance(fake, real, unbiased=self.arithmetic.covariance == 'unbiased')

    def warnings(self, dim: int, counts: Sequence[int]) -> list[str]:
        if min(counts) > dim:
            return []
        return [f'{self.name} is estimated from {min(counts)} samples of {dim}-dimensional features: the covariance '
                'is singular and the distance too large; compare it only with scores of the same number of samples']


class KVD(VideoSetMetric):
    """KVD: kernel distance of clip features; times 1000 if the protocol averages over subsets."""

    name, reduction = 'kvd', 'clip'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        if self.arithmetic.kernel == 'subsets':
            return KERNEL_SCALE * kernel_distance(fake, real).value
        return polynomial_mmd(fake, real)


class FrameFID(FVD):
    """FID of frames: Fréchet distance of the features of single frames."""

    name, reduction, extractor = 'fid', 'frames', 'EfficientNetLite0Features'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        real, fake = _detected_rows(real), _detected_rows(fake)
        return super().distance(real, fake) if min(len(real), len(fake)) > 1 else float('nan')


class OverTime(VideoSetMetric):
    """A metric of successive windows of the generated videos: how quality changes over a long video."""

    over_time = True

    def mean_std(self, real: Tensor, windows: Sequence[Tensor]) -> float | None:
        """Standard error of the mean over windows.

        The jackknife leaves out videos, since the windows of one video are not independent.

        Args:
            real (Tensor): Features of the real clips, shape (n, d).
            windows (Sequence[Tensor]): Features of every window, shape (m, d), videos in the same order.

        Returns:
            float | None: None if there are too few videos, or a video lacks a window.
        """
        if len({len(window) for window in windows}) != 1:
            return None
        fake = torch.stack(tuple(windows), dim=1)  # (m, windows, d)
        real, fake = (features[features.flatten(1).isfinite().all(1)] for features in (real, fake))
        if not self.is_distance:
            return jackknife_std(
                lambda videos: self.statistic(rearrange(videos, 'm w d -> (m w) d'), want_std=False).value, fake)

        def mean_distance(real: Tensor, fake: Tensor) -> float:
            return sum(self.distance(real, fake[:, window]) for window in range(fake.shape[1])) / fake.shape[1]
        return jackknife_std(mean_distance, real, fake)


class FVDOverTime(FVD, OverTime):
    """FVD of successive windows against the real clips."""

    name = 'fvd' + OVER_TIME


class KVDOverTime(KVD, OverTime):
    """KVD of successive windows against the real clips."""

    name = 'kvd' + OVER_TIME


class ACD(VideoSetMetric):
    """ACD: average content distance within a video."""

    name, reduction, extractor, is_distance = 'acd', 'content', 'FaceIdentity', False

    def statistic(self, features: Tensor, want_std: bool) -> MetricResult:
        values = features[:, 0].double()  # column 1: number of frames with a feature
        known = values[values.isfinite()]
        details = dict(videos_scored=len(known), videos_without_detection=len(values) - len(known),
                       frames_detected=int(features[:, 1].nansum()))
        std = jackknife_std(_mean, known) if want_std else None
        return MetricResult(_mean(known), std, details=details)


class ACDOverTime(ACD, OverTime):
    """ACD of successive windows."""

    name = 'acd' + OVER_TIME


class ContentDrift(VideoSetMetric):
    """Distance of every frame's content feature from the first frame's; the value is that of the last quarter."""

    name, reduction, extractor, is_distance = 'content_drift', 'content_drift', 'FaceIdentity', False

    def statistic(self, features: Tensor, want_std: bool) -> MetricResult:
        features = features.double()  # (clips, T)
        by_frame = features.nanmean(0)
        late = features[:, -max(1, features.shape[1] // 4):].nanmean(1)
        late = late[late.isfinite()]
        curve = dict(label='frame', x=list(range(len(by_frame))), y=by_frame.tolist())
        std = jackknife_std(_mean, late) if want_std else None
        return MetricResult(_mean(late), std, curve, dict(videos_scored=len(late)))


class LandmarkJitter(ACD):
    """Mean third difference of a landmark, in pixels of the protocol's frames; compare with the real videos."""

    name, reduction, extractor = 'jitter', 'jitter', 'FaceLandmarks'


VIDEO_SET_METRICS: dict[str, type[VideoSetMetric]] = {
    metric.name: metric for metric in (
        FVD, KVD, FrameFID, FVDOverTime, KVDOverTime, ACD, ACDOverTime, ContentDrift, LandmarkJitter)}


def _detected_rows(features: Tensor) -> Tensor:
    """The features of all frames (clips, T, d) as rows (n, d), without frames that have none."""
    rows = rearrange(features, 'b t d -> (b t) d')
    return rows[detected_frames(rows)]


def _mean(values: Tensor) -> float:
    return float(values.mean()) if len(values) else float('nan')
