"""FVD and KVD of generated videos, during validation and testing.

It prepares generated videos as :func:`~leokit.evaluation.evaluate_sets.evaluate_sets` prepares files, and uses the same
metrics (:mod:`leokit.evaluation.video_set_metrics`).
"""

from pathlib import Path
from typing import Any, Mapping, Sequence

import torch
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from torch import Tensor

from leokit.evaluation.clip_preprocessing import prepare_generated
from leokit.evaluation.clip_sampling import plan_trials
from leokit.evaluation.feature_extraction import clip_features
from leokit.evaluation.protocol import as_protocol
from leokit.evaluation.records import NetworkInfo, ResultRecord, RunInfo, Score, SetInfo, load_records, save_records
from leokit.evaluation.reductions import FeatureRequest
from leokit.evaluation.runner_metrics.real_clip_cache import RealClipCache
from leokit.evaluation.video_set import scan_videos
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS, MetricResult, metric_key
from leokit.feature_extractors.video_features import video_dim, video_features, video_label
from leokit.registry import FEATURE_EXTRACTORS, METRICS
from leokit.utils import UserError
from leokit.utils.cache_dirs import statistics_dir
from leokit.utils.modules import device_of
from leokit.video import VideoFilter


@METRICS.register_module()
class VideoDistances(BaseMetric):
    """FVD and KVD of generated and real clips, from one pass of the feature extractor.

    Predictions hold ``generated``, a video (T, 3, H, W) in [-1, 1] with at least the protocol's frames. The real clips
    are the ``real`` videos of the predictions, or those of a folder, whose features are cached on disk. Frames are
    rounded to 8 bits, so a value agrees with that of ``leokit evaluate`` for the same videos stored without loss.

    The key carries the extractor and the clip unless both are those of the literature, as in
    ``fvd-efficientnet_lite0_dt@16x1``; ``<key>_std`` is the standard error of the jackknife.

    Args:
        extractor (dict): Config of a feature extractor.
        metrics (Sequence[str]): 'fvd', 'kvd'.
        protocol (str | dict): Name of a preset, or a protocol.
        real (str | dict, optional): Folder or manifest of real videos, or ``dict(source=..., filters=dict(split=...))``
            with filters as in datasets.
        cache_dir (str, optional): Folder of cached features; default: the user's cache.
        records (str, optional): JSON file to which every evaluation appends its result records.
        cache_real (bool): Compute the features of each ``real`` prediction once and cache them by ``name`` and
            ``start``, for validation on the same clips every time.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'video'

    def __init__(self, extractor: dict, *, metrics: Sequence[str] = ('fvd', 'kvd'),
                 protocol: str | Mapping[str, Any] = 'quick', real: str | Mapping[str, Any] | None = None,
                 cache_dir: str | None = None, records: str | None = None, cache_real: bool = False,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractor = FEATURE_EXTRACTORS.build(extractor)
        self.metrics = _check_distances(metrics)
        self.protocol = as_protocol(protocol)
        self.real = dict(source=real) if isinstance(real, str) else dict(real) if real else None
        self.cache_dir = cache_dir
        self.records = Path(records) if records else None
        self._reference: tuple[Tensor | None, SetInfo] | None = None
        self._real_cache = RealClipCache(cache_real)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        results = [{} for _ in data_samples]
        for key in ('generated', 'real'):
            if key == 'real' and self.real is not None:
                continue
            if any(sample.get(key) is None for sample in data_samples):
                raise UserError(f'{type(self).__name__} needs the video {key!r} in every prediction; its predictions '
                                f'have {", ".join(sorted(data_samples[0]))}' + (
                                    ', and no folder was given as real' if key == 'real' else ''))
            features = self._real_cache.get_or_compute(data_samples, lambda: self._features(data_samples, 'real')) \
                if key == 'real' else self._features(data_samples, key)
            for result, feature in zip(results, features):
                result[key] = feature
        self.results.extend(results)

    def evaluate(self, size: int) -> dict[str, float]:
        if self.real is not None and self._reference is None:
            self._reference = self._real_folder_features()  # here, because all processes take part
        return super().evaluate(size)

    def compute_metrics(self, results: list) -> dict[str, float]:
        fake = torch.stack([row['generated'] for row in results])
        real, real_info = self._reference or (torch.stack([row['real'] for row in results]), None)
        label, values, compared = video_label(self.extractor), {}, {}
        # clips of the predictions are not the real set of a published protocol
        complete = self._reference is not None and self.protocol.is_complete(len(real), len(fake))
        for name in self.metrics:
            key = metric_key(name, label, self.protocol, complete=complete)
            compared[key] = VIDEO_SET_METRICS[name](self.protocol.arithmetic).compare(real, fake, want_std=True)
            values[key] = compared[key].value
            if compared[key].std is not None:
                values[f'{key}_std'] = compared[key].std
        # This key is named after the extractor too, since one evaluator may have several of these metrics.
        values[metric_key('clips', label, self.protocol, complete=complete)] = len(fake)
        if self.records is not None:
            self._append_records(compared, real_info, len(fake))
        return values

    def _features(self, samples: Sequence[dict], key: str) -> Tensor:
        """Features of the videos under a key, shape (B, d), on the CPU."""
        clips = prepare_generated(torch.stack([sample[key] for sample in samples]), self.protocol)
        return video_features(self.extractor.to(clips.device), clips).cpu()

    def _real_folder_features(self) -> tuple[Tensor | None, SetInfo]:
        """Features of the real folder (on the first process) and its description."""
        videos = scan_videos(self.real['source'], self.protocol, use_protocol_split=True,
                             filters=VideoFilter.from_config(self.real.get('filters')))
        clips = plan_trials(videos.num_windows(self.protocol), self.protocol, 'real')[0]
        request = FeatureRequest(self.extractor, 'clip')
        arrays = clip_features(videos, clips, self.protocol, [request], device=device_of(self.extractor),
                               cache_dir=self.cache_dir or statistics_dir(), label='real clips').arrays
        info = videos.info(len(clips))
        if not is_main_process():
            return None, info
        features = arrays[request.key]
        return features[features.isfinite().all(1)], info

    def _append_records(self, compared: dict[str, MetricResult], real_info: SetInfo | None, number: int) -> None:
        network = NetworkInfo(video_label(self.extractor), self.extractor.fingerprint(), video_dim(self.extractor))
        step = MessageHub.get_current_instance().get_info('iter', None) or None  # 0 outside of a training
        fake_info = SetInfo('generated during evaluation', None, number, number, 0, '')
        real_info = real_info or SetInfo('the real clips of the evaluation', None, number, number, 0, '')
        added = [ResultRecord(
            metric=key, score=Score(result.value, result.std, 'jackknife' if result.std is not None else 'none',
                                    (result.value,)),
            protocol=self.protocol.as_used(self.extractor), run=RunInfo.now(step=step), real=real_info,
            fake=fake_info, network=network) for key, result in compared.items()]
        earlier = load_records(self.records) if self.records.is_file() else []
        save_records(self.records, earlier + added)


def _check_distances(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if all are distances of one feature vector per clip."""
    known = [name for name, kind in VIDEO_SET_METRICS.items()
             if kind.is_distance and kind.reduction == 'clip' and not kind.over_time]
    if not names or not set(names) <= set(known):
        raise UserError(f'metrics of VideoDistances must be some of {", ".join(known)}, got {list(names)}')
    return tuple(names)
