"""FVD and KVD of what a model generates, during validation and testing."""

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
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS, metric_key
from leokit.feature_extractors.video_features import video_dim, video_features, video_label
from leokit.registry import FEATURE_EXTRACTORS, METRICS
from leokit.utils import UserError
from leokit.utils.cache_dirs import statistics_dir
from leokit.utils.modules import device_of
from leokit.video import VideoFilter


@METRICS.register_module()
class VideoDistances(BaseMetric):
    """FVD and KVD of generated and real clips, from one pass of the feature extractor.

    Predictions hold ``generated``, a video (T, 3, H, W) in [-1, 1] with at least the protocol's frames. Real clips
    are the ``real`` videos of the predictions, or those of a folder, whose features are cached, so that measuring
    again costs nothing. Frames are rounded to bytes and prepared as files are, so a value agrees with the one that
    ``leokit evaluate`` gives for the same videos saved without loss.

    The key carries the extractor and the clip unless both are what the literature means, as in
    ``fvd-efficientnet_lite0_dt@16x1``; ``<key>_std`` is the jackknife's standard error.

    Args:
        extractor (dict): Config of a feature extractor.
        metrics (Sequence[str]): Names in ``VIDEO_SET_METRICS``: 'fvd', 'kvd'.
        protocol (str | dict): A preset's name, or a protocol.
        real (str | dict, optional): Folder or manifest of real videos, or ``dict(source=..., filters=dict(split=...))``
            with filters as data sets take them.
        cache_dir (str, optional): Folder of cached features; the user's cache by default.
        records (str, optional): JSON file to which a result record of every evaluation is added.
        cache_real (bool): Describe each ``real`` prediction once and remember its features by ``name`` and
            ``start``: for validation, where the real clips are always the same.
        collect_device (str): 'cpu' or 'gpu', where results of processes are put together.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'video'

    def __init__(self, extractor: dict, *, metrics: Sequence[str] = ('fvd', 'kvd'),
                 protocol: str | Mapping[str, Any] = 'quick', real: str | Mapping[str, Any] | None = None,
                 cache_dir: str | None = None, records: str | None = None, cache_real: bool = False,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractor = FEATURE_EXTRACTORS.build(extractor)
        self.metrics = _distances(metrics)
        self.protocol = as_protocol(protocol)
        self.real = dict(source=real) if isinstance(real, str) else dict(real) if real else None
        self.cache_dir = cache_dir
        self.records = Path(records) if records else None
        self._reference: tuple[Tensor | None, Any] | None = None
        self._real_cache = RealClipCache(cache_real)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Describe the clips of a batch of predictions."""
        rows = [{} for _ in data_samples]
        for key in ('generated', 'real'):
            if key == 'real' and self.real is not None:
                continue
            if any(sample.get(key) is None for sample in data_samples):
                raise UserError(f'{type(self).__name__} needs the video {key!r} in every prediction; its predictions '
                                f'have {", ".join(sorted(data_samples[0]))}' + (
                                    ', and no folder was given as real' if key == 'real' else ''))
            features = self._real_cache.get_or_compute(data_samples, lambda: self._describe(data_samples, 'real')) \
                if key == 'real' else self._describe(data_samples, key)
            for row, feature in zip(rows, features):
                row[key] = feature
        self.results.extend(rows)

    def _describe(self, samples: Sequence[dict], key: str) -> Tensor:
        """Features of the videos under a key, shape (B, d), on the CPU."""
        clips = prepare_generated(torch.stack([sample[key] for sample in samples]), self.protocol)
        return video_features(self.extractor.to(clips.device), clips).cpu()

    def evaluate(self, size: int) -> dict[str, float]:
        """Also get the features of the real folder, in which all processes take part."""
        if self.real is not None and self._reference is None:
            self._reference = self._measure_reference()
        return super().evaluate(size)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Distances of the collected features."""
        fake = torch.stack([row['generated'] for row in results])
        real, real_info = self._reference or (torch.stack([row['real'] for row in results]), None)
        metrics, results_by_key = {}, {}
        for name in self.metrics:
            key = metric_key(name, video_label(self.extractor), self.protocol)
            results_by_key[key] = VIDEO_SET_METRICS[name](self.protocol.arithmetic).compare(real, fake, want_std=True)
            metrics[key] = results_by_key[key].value
            if results_by_key[key].std is not None:
                metrics[f'{key}_std'] = results_by_key[key].std
        # named as well, since one evaluator may hold several of these
        metrics[metric_key('clips', video_label(self.extractor), self.protocol)] = len(fake)
        if self.records is not None:
            self._add_records(results_by_key, real_info, len(fake))
        return metrics

    def _measure_reference(self) -> tuple[Tensor | None, Any]:
        """Features of the real folder (on the first process) and what the record says of it."""
        videos = scan_videos(self.real['source'], self.protocol, use_protocol_split=True,
                             filters=VideoFilter.from_config(self.real.get('filters')))
        clips = plan_trials(videos.num_windows(self.protocol), self.protocol, 'real')[0]
        request = FeatureRequest(self.extractor, 'clip')
        device = device_of(self.extractor)
        found = clip_features(videos, clips, self.protocol, [request], device=device,
                              cache_dir=self.cache_dir or statistics_dir(), label='real clips')
        info = videos.info(len(clips))
        if not is_main_process():
            return None, info
        features = found.arrays[request.key]
        return features[features.isfinite().all(1)], info

    def _add_records(self, results_by_key: dict, real_info: Any, number: int) -> None:
        network = NetworkInfo(video_label(self.extractor), self.extractor.fingerprint(), video_dim(self.extractor))
        step = MessageHub.get_current_instance().get_info('iter', None) or None  # 0: nothing was trained here
        fake_info = SetInfo('generated during evaluation', None, number, number, 0, '')
        real_info = real_info or SetInfo('the real clips of the evaluation', None, number, number, 0, '')
        added = [ResultRecord(
            metric=key, score=Score(result.value, result.std, 'jackknife' if result.std is not None else 'none',
                                    (result.value,)),
            protocol=self.protocol.to_dict(), run=RunInfo.now(step=step), real=real_info, fake=fake_info,
            network=network) for key, result in results_by_key.items()]
        earlier = load_records(self.records) if self.records.is_file() else []
        save_records(self.records, earlier + added)


def _distances(names: Sequence[str]) -> tuple[str, ...]:
    """The names, checked to be distances of one feature vector per clip."""
    known = [name for name, kind in VIDEO_SET_METRICS.items()
             if kind.is_distance and kind.reduction == 'clip' and not kind.over_time]
    if not names or not set(names) <= set(known):
        raise UserError(f'metrics of VideoDistances must be some of {", ".join(known)}, got {list(names)}')
    return tuple(names)
