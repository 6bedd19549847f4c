"""The entry point of the checks: find the defects of a clip."""

from typing import Any, Callable, Iterable, Mapping, Sequence

import numpy as np

from leokit.face_detectors import FaceDetector, build_face_detector
from leokit.utils import UserError
from leokit.utils.errors import suggest
from leokit.video.cleaning.black import find_black_frames, find_borders
from leokit.video.cleaning.blur import find_blur
from leokit.video.cleaning.captions import find_captions
from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.faces import find_faces
from leokit.video.cleaning.fades import find_fades
from leokit.video.cleaning.finding import Finding
from leokit.video.cleaning.frozen_frames import find_frozen, find_repeated
from leokit.video.cleaning.measuring import measure_clip
from leokit.video.cleaning.scene_cuts import find_scene_cuts

CHECKS: Mapping[str, Callable[[ClipMeasures], list[Finding]]] = {
    'scene_cut': find_scene_cuts,
    'fade': find_fades,
    'frozen': find_frozen,
    'repeated_frames': find_repeated,
    'black': find_black_frames,
    'borders': find_borders,
    'blur': find_blur,
    'caption': find_captions,
    'faces': find_faces,
}
DETAIL_CHECKS = ('borders', 'blur', 'caption')
DEFAULT_CHECKS = tuple(name for name in CHECKS if name != 'faces')  # that one is slow and needs a detector


def inspect_clip(frames: np.ndarray | Iterable[np.ndarray], frame_rate: float,
                 checks: Sequence[str] = DEFAULT_CHECKS, *,
                 face_detector: str | Mapping[str, Any] | FaceDetector = 'auto') -> list[Finding]:
    """Find the defects of a clip, in one pass over its frames.

    A long video is passed in chunks, as ``VideoHandle.chunks(32)`` yields them; memory then does not grow with it but
    for 800 bytes per frame::

        with AutoReader().open(path) as video:
            findings = inspect_clip(video.chunks(32), video.fps, ('scene_cut', 'black', 'faces'))
        cuts = [finding.start for finding in findings if finding.reason == 'scene_cut']

    Args:
        frames (np.ndarray | Iterable[np.ndarray]): uint8 RGB frames of shape (T, H, W, 3), or chunks of them.
        frame_rate (float): Frames per second.
        checks (Sequence[str]): Keys of :data:`CHECKS`. Default: all but ``'faces'``.
        face_detector (str | Mapping | FaceDetector): For the check ``'faces'``: a detector, or what
            :func:`~leokit.face_detectors.build_face_detector` builds one from.

    Returns:
        list[Finding]: ``reason``, ``start`` and ``end`` (frames, end excluded), ``value``, and ``box`` for borders;
        sorted by ``start``, in the order of the checks. Empty for a clip without defects. A clip can be cut at the
        frames of ``scene_cut`` findings, around ``fade``, ``black`` and ``frozen`` ones, and cropped to ``box``.

    Raises:
        UserError: If a check is unknown, or the face detector's package is missing.
    """
    checks = list(checks)
    for name in checks:
        if name not in CHECKS:
            raise UserError(f'unknown check {name!r}{suggest(name, CHECKS)}; choose from {", ".join(CHECKS)}')
    detector = None
    if 'faces' in checks:
        detector = face_detector if isinstance(face_detector, FaceDetector) else build_face_detector(face_detector)
    clip = measure_clip(frames, frame_rate, details=any(name in checks for name in DETAIL_CHECKS),
                        face_detector=detector)
    return sorted((finding for name in CHECKS if name in checks for finding in CHECKS[name](clip)),
                  key=lambda finding: finding.start)
