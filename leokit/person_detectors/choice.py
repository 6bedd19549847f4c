"""Which person detector is used."""

from typing import Any, Mapping

from leokit.person_detectors.base import PersonDetector
from leokit.registry import PERSON_DETECTORS
from leokit.utils import UserError

DETECTORS = dict(torchvision='TorchvisionPersonDetector', hog='HOGPersonDetector')


def build_person_detector(detector: str | Mapping[str, Any] = 'torchvision') -> PersonDetector:
    """Build a detector.

    Args:
        detector (str | Mapping): ``'torchvision'``, ``'hog'``, or the name or config of a component of
            ``PERSON_DETECTORS``.
    """
    if not isinstance(detector, str):
        return PERSON_DETECTORS.build(dict(detector))
    name = DETECTORS.get(detector, detector)
    if PERSON_DETECTORS.get(name) is None:
        raise UserError(f'unknown person detector {detector!r}; choose one of {", ".join(DETECTORS)}, or the name of '
                        'a registered one')
    return PERSON_DETECTORS.build(dict(type=name))
