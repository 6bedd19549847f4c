"""Detectors of torchvision that were trained on COCO."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor

from leokit.person_detectors.base import Person, PersonDetector
from leokit.registry import PERSON_DETECTORS
from leokit.utils import UserError
from leokit.utils.checkpoints import read_plain
from leokit.utils.detections import largest_first

PERSON = 1  # label of COCO


@PERSON_DETECTORS.register_module()
class TorchvisionPersonDetector(PersonDetector):
    """A detection network of torchvision (Faster R-CNN, Ren et al., NeurIPS 2015, by default), trained on COCO.

    Finds people of all poses, also in part.

    Args:
        model (str): Name of a model of ``torchvision.models.detection``.
        min_score (float): Detections of a lower score, 0 to 1, are left out.
        checkpoint (str | Path, optional): State dict of the model. Default: torchvision's weights, which it downloads
            once into its cache.
        device (str): Where the network runs.
    """

    def __init__(self, model: str = 'fasterrcnn_mobilenet_v3_large_320_fpn', min_score: float = 0.7,
                 checkpoint: str | Path | None = None, device: str = 'cpu') -> None:
        if not 0 <= min_score <= 1:
            raise ValueError(f'min_score must be from 0 to 1, got {min_score}')
        self.min_score = min_score
        self.device = device
        self._network = _build(model, checkpoint).to(device).eval()

    @torch.inference_mode()
    def detect(self, frame: np.ndarray) -> list[Person]:
        pixels = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device).movedim(2, 0).float() / 255
        found: dict[str, Tensor] = self._network([pixels])[0]
        kept = (found['labels'] == PERSON) & (found['scores'] >= self.min_score)
        boxes, scores = found['boxes'][kept].double().cpu().numpy(), found['scores'][kept].tolist()
        return largest_first([Person(box, score) for box, score in zip(boxes, scores)])


def _build(name: str, checkpoint: str | Path | None) -> Any:
    from torchvision.models import detection, get_model, list_models  # imports all models of torchvision
    known = list_models(module=detection)
    if name not in known:
        raise UserError(f'{name!r} is no detection model of torchvision; choose one of {", ".join(sorted(known))}')
    if checkpoint is None:
        try:
            return get_model(name, weights='DEFAULT')
        except (URLError, OSError) as error:
            raise UserError(f'the weights of {name} could not be downloaded ({error}); put the file into '
                            f'{torch.hub.get_dir()}/checkpoints, or use the person detector hog') from error
    network = get_model(name, weights=None, weights_backbone=None)
    state = read_plain(checkpoint)
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        raise UserError(f'{checkpoint} does not hold the weights of {name} '
                        f'({str(error).splitlines()[0]})') from error
    return network
