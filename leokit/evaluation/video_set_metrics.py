"""The measures that a folder of videos can be given: what each needs, and how it is computed from features.

To add one, write a class here and name it in ``VIDEO_SET_METRICS``.
"""

from dataclasses import dataclass, field
from typing import Any, Sequence

import torch
from torch import Tensor

from leokit.evaluation.protocol import ArithmeticRule, Protocol
from leokit.evaluation.uncertainty import jackknife_std
from leokit.metrics.acd import detected_frames
from leokit.metrics.fvd import frechet_distance
from leokit.metrics.kvd import kernel_distance, polynomial_mmd

STANDARD_VIDEO_LABELS = ('i3d', 'i3d_styleganv')  # networks that a bare "fvd" or "kvd" stands for
OVER_TIME = '_over_time'  # ends the name of a metric of successive windows
KERNEL_SCALE = 1000  # StyleGAN's kernel distance is reported times 1000


@dataclass(frozen=True)
class MetricResult:
    """What a metric found in one trial."""

    value: float
    std: float | None = None  # standard error by the jackknife; only asked for where trials do not tell it
    curve: dict[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)


def metric_key(name: str, label: str, protocol: Protocol) -> str:
    """Key of a metric: the bare name only for the network and the protocol that the literature means by it.

    Args:
        name (str): Name of the metric.
        label (str): Label of the feature network.
        protocol (Protocol): The protocol.

    Returns:
        str: As in ``fvd``, ``fvd-efficientnet_lite0_dt@16x1`` or ``acd-dlib_identity``.
    """
    standard = name in ('fvd', 'kvd') and label in STANDARD_VIDEO_LABELS
    return name + ('' if standard else f'-{label}') + protocol.tag


class VideoSetMetric:
    """A metric of generated videos.

    Attributes:
        name (str): Name on the command line and in keys.
        reduction (str): What is kept of every clip; see :mod:`leokit.evaluation.reductions`.
        extractor (str, optional): Type of the extractor that is taken unless another is chosen; None is the
            protocol's.
        paired (bool): Whether it compares with the real set. If not, the real set's own value is reported beside it.
        over_time (bool): Whether it looks at successive windows of the generated videos.
    """

    name: str
    reduction: str
    extractor: str | None = None
    paired = True
    over_time = False

    def __init__(self, arithmetic: ArithmeticRule) -> None:
        self.arithmetic = arithmetic

    def distance(self, real: Tensor, fake: Tensor) -> float:
        """The value of a trial; paired measures implement it."""
        raise NotImplementedError

    def describe(self, features: Tensor, want_std: bool) -> MetricResult:
        """The value of one set alone; unpaired measures implement it."""
        raise NotImplementedError

    def compare(self, real: Tensor, fake: Tensor, want_std: bool) -> MetricResult:
        """The value of a trial of a paired metric, and its standard error if wanted.

        Clips without a feature (no face in any frame, say) are left out and counted.
        """
        known = [features[features.flatten(1).isfinite().any(1)] for features in (real, fake)]
        details = {f'{side}_clips_without_feature': len(features) - len(kept)
                   for side, features, kept in zip(('real', 'fake'), (real, fake), known) if len(kept) < len(features)}
        if min(map(len, known)) < 2:
            return MetricResult(float('nan'), details=details)
        std = jackknife_std(self.distance, *known) if want_std else None
        return MetricResult(self.distance(*known), std, details=details)


class FVD(VideoSetMetric):
    """FVD: Fréchet distance of clip features."""

    name, reduction = 'fvd', 'clip'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        """See :class:`VideoSetMetric`."""
        return frechet_distance(fake, real, unbiased=self.arithmetic.covariance == 'unbiased')


class KVD(VideoSetMetric):
    """KVD: kernel distance of clip features; times 1000 where the protocol averages over subsets."""

    name, reduction = 'kvd', 'clip'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        """See :class:`VideoSetMetric`."""
        if self.arithmetic.kernel == 'subsets':
            return KERNEL_SCALE * kernel_distance(fake, real).value
        return polynomial_mmd(fake, real)


class FrameFID(FVD):
    """FID of frames: Fréchet distance of the features of single frames."""

    name, reduction, extractor = 'fid', 'frames', 'EfficientNetLite0Features'

    def distance(self, real: Tensor, fake: Tensor) -> float:
        """See :class:`VideoSetMetric`."""
        real, fake = _rows(real), _rows(fake)
        return super().distance(real, fake) if min(len(real), len(fake)) > 1 else float('nan')


class OverTime(VideoSetMetric):
    """A metric of successive windows of the generated videos: how quality holds over a long video."""

    over_time = True

    def mean_std(self, real: Tensor, windows: Sequence[Tensor]) -> float | None:
        """Standard error of the mean over windows, by the jackknife over videos: windows of one video are alike.

        Args:
            real (Tensor): Features of the real clips, shape (n, d).
            windows (Sequence[Tensor]): Features of every window, shape (m, d), videos in the same order.

        Returns:
            float | None: None where there are too few videos, or not every video has every window.
        """
        if len({len(window) for window in windows}) != 1:
            return None
        fake = torch.stack(tuple(windows), dim=1)  # (m, windows, d)
        real, fake = (features[features.flatten(1).isfinite().all(1)] for features in (real, fake))
        if not self.paired:
            return jackknife_std(lambda videos: self.describe(videos.flatten(0, 1), want_std=False).value, fake)

        def mean(real: Tensor, fake: Tensor) -> float:
            return sum(self.distance(real, fake[:, window]) for window in range(fake.shape[1])) / fake.shape[1]
        return jackknife_std(mean, real, fake)


class FVDOverTime(FVD, OverTime):
    """FVD of successive windows against the real clips."""

    name = 'fvd' + OVER_TIME


class KVDOverTime(KVD, OverTime):
    """KVD of successive windows against the real clips."""

    name = 'kvd' + OVER_TIME


class ACD(VideoSetMetric):
    """ACD: average content distance within a video."""

    name, reduction, extractor, paired = 'acd', 'content', 'FaceIdentity', False

    def describe(self, features: Tensor, want_std: bool) -> MetricResult:
        """See :class:`VideoSetMetric`."""
        values = features[:, 0].double()
        known = values[values.isfinite()]
        details = dict(videos_scored=len(known), videos_without_detection=len(values) - len(known),
                       frames_detected=int(features[:, 1].nansum()))
        std = jackknife_std(_mean, known) if want_std and len(known) else None
        return MetricResult(_mean(known), std, details=details)


class ACDOverTime(ACD, OverTime):
    """ACD of successive windows."""

    name = 'acd' + OVER_TIME


class ContentDrift(VideoSetMetric):
    """Distance of every frame's content from the first frame's; the value is that of the last quarter."""

    name, reduction, extractor, paired = 'content_drift', 'content_drift', 'FaceIdentity', False

    def describe(self, features: Tensor, want_std: bool) -> MetricResult:
        """See :class:`VideoSetMetric`."""
        curve = features.double().nanmean(0)
        late = features.double()[:, -max(1, features.shape[1] // 4):].nanmean(1)
        late = late[late.isfinite()]
        curve = dict(label='frame', x=list(range(len(curve))), y=curve.tolist())
        return MetricResult(_mean(late), jackknife_std(_mean, late) if want_std and len(late) else None, curve,
                       dict(videos_scored=len(late)))


class LandmarkJitter(ACD):
    """Mean third difference of a landmark, in pixels of the protocol's frames; right is what real videos have."""

    name, reduction, extractor, paired = 'jitter', 'jitter', 'FaceLandmarks', False


VIDEO_SET_METRICS: dict[str, type[VideoSetMetric]] = {
    metric.name: metric for metric in (
        FVD, KVD, FrameFID, FVDOverTime, KVDOverTime, ACD, ACDOverTime,
        ContentDrift, LandmarkJitter)}


def feature_warnings(metric: VideoSetMetric, dim: int, counts: Sequence[int]) -> list[str]:
    """Sentences on a distance estimated from too few samples.

    Args:
        metric (VideoSetMetric): The metric.
        dim (int): Length of a feature vector.
        counts (Sequence[int]): Samples of each set.

    Returns:
        list[str]: Empty where there is nothing to warn of.
    """
    if not isinstance(metric, FVD) or min(counts) > dim:
        return []
    sentence = (f'{metric.name} is estimated from {min(counts)} samples of {dim}-dimensional features: the covariance '
                'is singular and the distance too large; compare it only with scores of as many samples')
    return [sentence]


def _rows(frames: Tensor) -> Tensor:
    """Frames of all clips as samples, without those that have no feature; shape (n, d)."""
    rows = frames.flatten(0, 1)
    return rows[detected_frames(rows)]


def _mean(values: Tensor) -> float:
    return float(values.mean()) if len(values) else float('nan')
