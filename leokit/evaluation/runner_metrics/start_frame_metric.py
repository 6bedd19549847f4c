"""Motion and variety of generated starting frames, during testing."""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.feature_extractors.video_features import frame_features
from leokit.metrics.acd import average_content_distance, detected_frames
from leokit.metrics.disentanglement import motion_code_consistency
from leokit.registry import FEATURE_EXTRACTORS, METRICS
from leokit.utils import check_shape


def chance_error(target: Tensor, measured: Tensor) -> float:
    """``total_error`` of :func:`motion_code_consistency` if codes were compared with the targets of other samples.

    Args:
        target (Tensor): Shape (B, N), B >= 2.
        measured (Tensor): K codes for each target, shape (B, K, N).

    Returns:
        float: Root mean square over all pairs of a measured code and the target of another sample.
    """
    check_shape('target', target, (None, None))
    check_shape('measured', measured, (target.shape[0], None, target.shape[1]))
    if len(target) < 2:
        raise ValueError('the chance error needs at least two codes')
    mean = target.detach().double().mean(0)
    target, measured = target.detach().double() - mean, measured.detach().double() - mean
    variance = target.square().mean(0).sum()
    own = (measured - target[:, None]).square().sum(2).mean(1)  # (B,)
    # Mean over all pairs; the cross term vanishes because the targets are centered.
    pairs = measured.square().sum(2).mean() + variance
    return float(((pairs * len(target) - own.mean()) / (len(target) - 1) / variance).sqrt())


def mean_distance_between_identities(features: Tensor, identities: Sequence[str]) -> float:
    """Mean Euclidean distance of features of different identities.

    Args:
        features (Tensor): One vector per image, shape (B, d); NaN where nothing was detected.
        identities (Sequence[str]): The identity in each image.

    Returns:
        float: NaN if no two identities were detected.
    """
    numbers = {identity: number for number, identity in enumerate(dict.fromkeys(identities))}
    labels = torch.tensor([numbers[identity] for identity in identities])
    detected = detected_frames(features)
    different = (labels[:, None] != labels) & detected[:, None] & detected
    points = torch.where(detected[:, None], features.double(), 0)
    return float(torch.cdist(points, points)[different].mean())


@METRICS.register_module()
class StartFrameAgreement(BaseMetric):
    """Agreement of generated starting frames with their motion codes, and variety of their identities.

    Predictions are those of :class:`~leokit.benchmark.start_frame_test_loop.StartFrameTestLoop`. Keys:

    - ``distance``: root mean squared error of the codes encoded from the generated frames, in standard deviations of
      the target codes.
    - ``chance_distance``: the same against the targets of other samples. 1.4 for frames as varied as the real ones that
      ignore their code, 1 for frames that are all the same.
    - ``real_distance``: ``distance`` of the real frames at the model's resolution; a lower bound.
    - ``r2``: coefficient of determination of the codes, all dimensions together; ``r2_median`` over dimensions;
      ``r2_00``, ... for each dimension.
    - ``variety-<extractor>``: mean distance of the frames generated for one code, over that of real frames of different
      identities. About 1 if every frame shows another identity, 0 if the code determines the identity. Needs several
      frames per code.

    Args:
        extractors (Sequence[dict]): Configs of image extractors that describe identity.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'start_frame'

    def __init__(self, extractors: Sequence[dict] = (dict(type='ColorStatistics'),), *, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractors = [FEATURE_EXTRACTORS.build(dict(extractor)) for extractor in extractors]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        results = [{key: row[key].detach().float().cpu() for key in ('motion', 'real_motion', 'generated_motion')}
                   for row in data_samples]
        # (B, 1 + K, 3, H, W): the real frame and K generated ones
        images = torch.stack([torch.cat([row['real'][None], row['generated']]) for row in data_samples])
        features = {extractor.label: frame_features(extractor.to(images.device), images).cpu()
                    for extractor in self.extractors}
        for number, (result, row) in enumerate(zip(results, data_samples)):
            result['identity'] = str(row.get('identity', row.get('name', number)))
            result['features'] = {label: values[number] for label, values in features.items()}  # (1 + K, d)
        self.results.extend(results)

    def compute_metrics(self, results: list) -> dict[str, float]:
        # (B, N), (B, N), (B, K, N)
        target, real, measured = (torch.stack([result[key] for result in results])
                                  for key in ('motion', 'real_motion', 'generated_motion'))
        consistency = motion_code_consistency(target[:, None].expand_as(measured), measured)
        metrics = dict(distance=consistency.total_error, chance_distance=chance_error(target, measured),
                       real_distance=motion_code_consistency(target[:, None], real[:, None]).total_error,
                       r2=consistency.total_r2, r2_median=float(consistency.r2.nanmedian()), samples=len(results))
        metrics.update({f'r2_{number:02d}': float(value) for number, value in enumerate(consistency.r2)})
        if measured.shape[1] > 1:
            metrics.update(self._variety(results))
        return metrics

    def _variety(self, results: list) -> dict[str, float]:
        identities, metrics = [result['identity'] for result in results], {}
        for label in results[0]['features']:
            features = torch.stack([result['features'][label] for result in results])  # (B, 1 + K, d)
            generated = average_content_distance(features[:, 1:]).value.nanmean()
            real = mean_distance_between_identities(features[:, 0], identities)
            metrics[f'variety-{label}'] = float(generated) / real
        return metrics
