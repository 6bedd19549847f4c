"""AKD and AED of reconstructed faces, during validation and testing."""

from typing import Any, Sequence

import torch
from einops import rearrange
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.metrics.akd_aed import DetectionScore, average_identity_distance, average_keypoint_distance
from leokit.registry import FEATURE_EXTRACTORS, METRICS


@METRICS.register_module()
class AnimationMetric(BaseMetric):
    """Average keypoint distance and average identity distance of reconstructions and driving frames.

    Keypoints are in pixels of the frames, so values depend on the resolution. Pairs in which a face is missing do not
    count; the share of faces that the reconstruction lost is reported. Keys carry the networks, as in
    ``akd-dlib_landmarks68`` and ``aed-dlib_identity``: the literature uses others, and for AED the mean absolute
    difference instead of the Euclidean distance.

    Predictions hold ``driving`` and ``reconstruction``, images (3, H, W) in [-1, 1].

    Args:
        landmarks (dict, optional): Config of an extractor of K points ``x_0, y_0, x_1, ...``; None omits AKD.
        identity (dict, optional): Config of an extractor of identity embeddings; None omits AED.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'animation'

    def __init__(self, landmarks: dict | None = None, identity: dict | None = None, *, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.landmarks = FEATURE_EXTRACTORS.build(landmarks) if landmarks else None
        self.identity = FEATURE_EXTRACTORS.build(identity) if identity else None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        images = [torch.stack([sample[key] for sample in data_samples]).float()
                  for key in ('reconstruction', 'driving')]
        scores = {}
        if self.landmarks is not None:
            points = (rearrange(_extract(self.landmarks, part), 'b (k c) -> b k c', c=2) for part in images)
            scores[f'akd-{self.landmarks.label}'] = average_keypoint_distance(*points)
        if self.identity is not None:
            embeddings = (_extract(self.identity, part) for part in images)
            scores[f'aed-{self.identity.label}'] = average_identity_distance(*embeddings)
        for number in range(len(data_samples)):
            self.results.append({name: (float(score.values[number]), bool(score.missing[number]),
                                        bool(score.undetected[number])) for name, score in scores.items()})

    def compute_metrics(self, results: list) -> dict[str, float]:
        metrics = {}
        for name in results[0] if results else ():
            values, missing, undetected = zip(*(result[name] for result in results))
            score = DetectionScore(torch.tensor(values, dtype=torch.float64), torch.tensor(missing),
                                   torch.tensor(undetected))
            metrics.update({name: score.value, f'{name}_missing_rate': score.missing_rate,
                            f'{name}_undetected_rate': float(score.undetected.double().mean())})
        return metrics


@torch.no_grad()
def _extract(extractor: torch.nn.Module, images: Tensor) -> Tensor:
    return extractor.to(images.device)(images.clamp(-1, 1)).cpu()
