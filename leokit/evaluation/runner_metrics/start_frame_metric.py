"""Whether drawn starting frames move as asked, and show different people."""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.feature_extractors.video_features import frame_features
from leokit.metrics.acd import average_content_distance, detected_frames
from leokit.metrics.disentanglement import code_agreement
from leokit.registry import FEATURE_EXTRACTORS, METRICS
from leokit.utils import check_shape


def chance_error(asked: Tensor, found: Tensor) -> float:
    """``total_error`` of :func:`code_agreement` if every code was found where another one had been asked for.

    Args:
        asked (Tensor): Shape (B, N), B >= 2.
        found (Tensor): K codes for each of them, shape (B, K, N).

    Returns:
        float: Over all pairs of a code found and a code asked for elsewhere.

    Raises:
        ValueError: If a shape does not fit or there is a single code.
    """
    check_shape('asked', asked, (None, None))
    check_shape('found', found, (asked.shape[0], None, asked.shape[1]))
    if len(asked) < 2:
        raise ValueError('chance needs at least two codes: there is nothing to exchange')
    mean = asked.detach().double().mean(0)
    asked, found = asked.detach().double() - mean, found.detach().double() - mean
    spread = asked.square().mean(0).sum()
    own = (found - asked[:, None]).square().sum(2).mean(1)  # (B,)
    # the mean over all pairs, its mixed term 0 as the codes asked for are centered
    pairs = found.square().sum(2).mean() + spread
    return float(((pairs * len(asked) - own.mean()) / (len(asked) - 1) / spread).sqrt())


def mean_distance_between_people(features: Tensor, identities: Sequence[str]) -> float:
    """Mean Euclidean distance of features of different people.

    Args:
        features (Tensor): One vector a picture, shape (B, d); NaN where nothing was detected.
        identities (Sequence[str]): Who is seen in each.

    Returns:
        float: NaN where no two people were detected.
    """
    numbers = {identity: number for number, identity in enumerate(dict.fromkeys(identities))}
    people = torch.tensor([numbers[identity] for identity in identities])
    found = detected_frames(features)
    different = (people[:, None] != people) & found[:, None] & found
    points = torch.where(found[:, None], features.double(), 0)
    return float(torch.cdist(points, points)[different].mean())


@METRICS.register_module()
class StartFrameAgreement(BaseMetric):
    """Do drawn frames have the motion that was asked for, and are they of different people?

    Predictions are those of :class:`~leokit.benchmark.start_frame_test_loop.StartFrameTestLoop`. Keys:

    - ``distance``: of the codes read from the drawn frames from those asked for, root mean square, in units of the
      spread of the codes asked for.
    - ``chance_distance``: the same with the codes exchanged among the samples; 1.4 for frames as varied as the real
      ones that ignore their code, 1 for frames that all are the same.
    - ``real_distance``: of the real frames at the size of the model, read again: as near as a perfect model comes.
    - ``r2``: share of the codes' variance that is explained, all dimensions together; ``r2_median`` over dimensions;
      ``r2_00`` and so on for each.
    - ``variety-<extractor>``: mean distance of the frames drawn for one code, over that of real frames of different
      people; about 1 where everybody is somebody else, 0 where the code decides who is seen. Not for one frame a code.

    Args:
        extractors (Sequence[dict]): Configs of image extractors that say how different two people look.
        collect_device (str): 'cpu' or 'gpu', where results of processes are put together.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'start_frame'

    def __init__(self, extractors: Sequence[dict] = (dict(type='ColorStatistics'),), *, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractors = [FEATURE_EXTRACTORS.build(dict(extractor)) for extractor in extractors]

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep codes and features of a batch of predictions."""
        results = [{key: row[key].detach().float().cpu() for key in ('motion', 'real_motion', 'generated_motion')}
                   for row in data_samples]
        pictures = torch.stack([torch.cat([row['real'][None], row['generated']]) for row in data_samples])
        features = {extractor.label: frame_features(extractor.to(pictures.device), pictures).cpu()
                    for extractor in self.extractors}
        for number, (result, row) in enumerate(zip(results, data_samples)):
            result['identity'] = str(row.get('identity', row.get('name', number)))
            result['features'] = {label: values[number] for label, values in features.items()}  # (1 + K, d)
        self.results.extend(results)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compare codes with codes, people with people."""
        asked, real, read = (torch.stack([result[key] for result in results])
                             for key in ('motion', 'real_motion', 'generated_motion'))
        agreement = code_agreement(asked[:, None].expand_as(read), read)
        metrics = dict(distance=agreement.total_error, chance_distance=chance_error(asked, read),
                       real_distance=code_agreement(asked[:, None], real[:, None]).total_error,
                       r2=agreement.total_r2, r2_median=float(agreement.r2.nanmedian()), samples=len(results))
        metrics.update({f'r2_{number:02d}': float(value) for number, value in enumerate(agreement.r2)})
        if read.shape[1] > 1:
            identities = [result['identity'] for result in results]
            for label in results[0]['features']:
                features = torch.stack([result['features'][label] for result in results])  # (B, 1 + K, d)
                drawn = average_content_distance(features[:, 1:]).value.nanmean()
                metrics[f'variety-{label}'] = float(drawn) / mean_distance_between_people(features[:, 0], identities)
        return metrics
