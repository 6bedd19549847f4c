"""Images and videos of people, cropped to their face: detection (dlib, optional) with the geometry of ``face_crop``."""

from pathlib import Path

import numpy as np

from leokit.feature_extractors.face_detection import detect_faces
from leokit.utils import UserError
from leokit.video.face_crop import FACE_CROPS, CropBox, crop_frames, face_crop_box
from leokit.video.images import read_image
from leokit.video.readers import VideoHandle

DETECTION_FRAMES = 8  # evenly spaced over a clip


class FaceVideo(VideoHandle):
    """An open video, cropped to a box; closing it closes the video.

    Args:
        video (VideoHandle): The open video.
        box (CropBox): The box.
    """

    def __init__(self, video: VideoHandle, box: CropBox) -> None:
        super().__init__(video.path, video.fps)
        self.stores_rate = video.stores_rate
        self.video = video
        self.box = box

    def __len__(self) -> int:
        return len(self.video)

    def close(self) -> None:
        self.video.close()

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return crop_frames(self.video._read(indices), self.box)

    def _source_times(self) -> np.ndarray:
        return self.video._source_times()

    def _read_source(self, indices: np.ndarray) -> np.ndarray:
        return crop_frames(self.video._read_source(indices), self.box)


def find_face_box(video: VideoHandle, crop: str, first: int = 0, last: int | None = None) -> CropBox | None:
    """The square around the face in the frames ``first`` to ``last`` (excluded), None without a face.

    The largest face is detected in ``DETECTION_FRAMES`` frames; those without one do not count.

    Args:
        video (VideoHandle): The open video.
        crop (str): Key of ``FACE_CROPS``.
        first (int): First frame.
        last (int, optional): End (excluded); None is the end of the video.
    """
    last = len(video) if last is None else last
    indices = np.unique(np.linspace(first, last - 1, DETECTION_FRAMES).round().astype(np.int64))
    frames = video.read(indices)
    boxes = detect_faces(frames)
    return None if boxes is None else face_crop_box(boxes, frames.shape[1:3], FACE_CROPS[crop])


def crop_video_to_face(video: VideoHandle, crop: str) -> FaceVideo:
    """An open video, cropped to the face in it; ``crop`` is a key of ``FACE_CROPS``."""
    box = find_face_box(video, crop)
    if box is None:
        raise _no_face(video.path)
    return FaceVideo(video, box)


def crop_image_to_face(image: str | Path | np.ndarray, crop: str, name: str | Path | None = None) -> np.ndarray:
    """The largest face of an image.

    Args:
        image (str | Path | np.ndarray): A file, or uint8 pixels (H, W, 3).
        crop (str): Key of ``FACE_CROPS``.
        name (str | Path, optional): Name of the pixels in error messages.

    Returns:
        np.ndarray: Square uint8 RGB image, in the resolution of the file.
    """
    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    boxes = detect_faces(pixels[None])
    if boxes is None:
        raise _no_face(name or ('the image' if isinstance(image, np.ndarray) else image))
    return crop_frames(pixels[None], face_crop_box(boxes, pixels.shape[:2], FACE_CROPS[crop]))[0]


def _no_face(name: str | Path) -> UserError:
    return UserError(f"no face was found in {name}; faces are found upright, from the front and from a sixth of the "
                     "frame's shorter side; crop it to the face yourself and use the crop 'center'")
