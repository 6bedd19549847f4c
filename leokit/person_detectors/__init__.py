"""Person detectors: the boxes of people in a frame."""

from leokit.person_detectors.base import Person, PersonDetector
from leokit.person_detectors.choice import build_person_detector
from leokit.person_detectors.hog_detector import HOGPersonDetector
from leokit.person_detectors.torchvision_detector import TorchvisionPersonDetector

__all__ = ['HOGPersonDetector', 'Person', 'PersonDetector', 'TorchvisionPersonDetector', 'build_person_detector']
