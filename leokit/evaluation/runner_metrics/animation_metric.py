"""Whether reconstructed faces make the same face and stay the same person: AKD and AED."""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.metrics.akd_aed import DetectionScore, average_identity_distance, average_keypoint_distance
from leokit.registry import FEATURE_EXTRACTORS, METRICS


@METRICS.register_module()
class AnimationMetric(BaseMetric):
    """Average keypoint distance and average identity distance of reconstructions and driving frames.

    Keypoints are in pixels of the frames, so a value belongs to a resolution. Pairs in which a face is missing do not
    enter a mean; the share of frames whose face the reconstruction lost is reported beside it.

    Predictions hold ``driving`` and ``reconstruction``, images (3, H, W) in [-1, 1].

    Args:
        landmarks (dict, optional): Config of an extractor that gives K points as ``x_0, y_0, x_1, …``; None leaves
            AKD out.
        identity (dict, optional): Config of an extractor of identity embeddings; None leaves AED out.
        collect_device (str): 'cpu' or 'gpu', where results of processes are put together.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'animation'

    def __init__(self, landmarks: dict | None = None, identity: dict | None = None, *, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.landmarks = FEATURE_EXTRACTORS.build(landmarks) if landmarks else None
        self.identity = FEATURE_EXTRACTORS.build(identity) if identity else None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Detect in a batch of predictions and of driving frames."""
        prediction, target = (torch.stack([sample[key] for sample in data_samples]).float()
                              for key in ('reconstruction', 'driving'))
        scores = {}
        if self.landmarks is not None:
            found = [_detect(self.landmarks, images).unflatten(1, (-1, 2)) for images in (prediction, target)]
            scores['akd'] = average_keypoint_distance(*found)
        if self.identity is not None:
            scores['aed'] = average_identity_distance(
                *(_detect(self.identity, images) for images in (prediction, target)))
        for number in range(len(data_samples)):
            self.results.append({name: (float(score.values[number]), bool(score.missing[number]),
                                        bool(score.undetected[number])) for name, score in scores.items()})

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average over the pairs in which both faces were found."""
        metrics = {}
        for name in results[0] if results else ():
            values, missing, undetected = zip(*(result[name] for result in results))
            score = DetectionScore(torch.tensor(values, dtype=torch.float64), torch.tensor(missing),
                                   torch.tensor(undetected))
            metrics.update({name: score.value, f'{name}_missing_rate': score.missing_rate,
                            f'{name}_undetected_rate': float(score.undetected.double().mean())})
        return metrics


@torch.no_grad()
def _detect(extractor: torch.nn.Module, images: Tensor) -> Tensor:
    return extractor.to(images.device)(images.clamp(-1, 1)).cpu()
