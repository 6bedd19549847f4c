"""Deprecated names of face crops; :class:`~leokit.inference.FaceCropper` crops images and videos to faces."""

from pathlib import Path
from typing import Any

import numpy as np

from leokit.croppers import CROP_PRESETS, CroppedVideo, CropPreset, CropRegion, CropTrack, build_cropper
from leokit.croppers.tracking import no_face
from leokit.deprecation import warn_renamed
from leokit.face_detectors import Face, build_face_detector
from leokit.video.face_crop import CropBox, crop_frames
from leokit.video.images import read_image
from leokit.video.readers import VideoHandle

FACE_CROPS = {name: CROP_PRESETS[name] for name in ('face', 'face_wide')}


def face_crop_box(boxes: np.ndarray, frame_size: tuple[int, int], crop: CropPreset = FACE_CROPS['face']) -> CropBox:
    """Deprecated: :meth:`leokit.croppers.Cropper.region`. The square around boxes of shape (T, 4) or (4,)."""
    warn_renamed('function', 'face_crop_box', 'leokit.croppers.Cropper.region')
    faces = [Face(box, 1.0) for box in np.asarray(boxes, np.float64).reshape(-1, 4)]
    return build_cropper(crop).region(faces, frame_size).to_box()


def find_face_box(video: VideoHandle, crop: str, first: int = 0, last: int | None = None) -> CropBox | None:
    """Deprecated: :func:`leokit.preparation.clip_crop.find_face_box`."""
    warn_renamed('function', 'face_input.find_face_box', 'leokit.preparation.clip_crop.find_face_box')
    return _find_box(video, crop, first, last)


def crop_video_to_face(video: VideoHandle, crop: str) -> CroppedVideo:
    """Deprecated: :meth:`leokit.inference.FaceCropper.video`. Frames have the resolution of the face's square."""
    warn_renamed('function', 'face_input.crop_video_to_face', 'leokit.inference.FaceCropper.video')
    box = _find_box(video, crop, 0, None)
    if box is None:
        raise no_face(video.path)
    side = box.right - box.left
    region = CropRegion((box.left + box.right) / 2, (box.top + box.bottom) / 2, side, side)
    return CroppedVideo(video, CropTrack.resting(region), side)


def crop_image_to_face(image: str | Path | np.ndarray, crop: str, name: str | Path | None = None) -> np.ndarray:
    """Deprecated: :meth:`leokit.inference.FaceCropper.image`. The face's square, uint8 (S, S, 3), not resized."""
    warn_renamed('function', 'face_input.crop_image_to_face', 'leokit.inference.FaceCropper.image')
    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    faces = _detector().detect(pixels)
    if not faces:
        raise no_face(name or ('the image' if isinstance(image, np.ndarray) else image))
    box = build_cropper(FACE_CROPS[crop]).region(faces[:1], pixels.shape[:2]).to_box()
    return crop_frames(pixels[None], box)[0]


def _find_box(video: VideoHandle, crop: str, first: int, last: int | None) -> CropBox | None:
    from leokit.preparation import clip_crop  # imports the preparation
    return clip_crop.find_face_box(video, crop, first, len(video) if last is None else last)


def _detector() -> Any:
    return build_face_detector(dict(type='DlibFaceDetector', landmarks=False))
