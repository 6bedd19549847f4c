"""Sources and driving videos of people, cropped to their face as a model saw faces in training."""

import logging
from collections.abc import Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from leokit.croppers import CropRegion, CroppedVideo, CropTrack, build_cropper, crop_region, find_preset, find_track
from leokit.croppers.tracking import NoFaceError, cut_face, no_face
from leokit.face_detectors import FaceDetector, build_face_detector, choose_faces, is_cut
from leokit.face_detectors.choice import is_detector_installed, parse_face
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.video import ImageInput
from leokit.video.image_input import image_pixels
from leokit.video.images import TRANSPARENT_BACKGROUND
from leokit.video.readers import VideoHandle
from leokit.video.resize import CROPS, to_channels_first

AUTO = 'auto'
ALREADY_CROPPED = 0.7  # intersection over union of the face's region with the one that is taken without a face


class CroppedImage(NamedTuple):
    """A source image and the regions of it that a model animates.

    Attributes:
        pixels (np.ndarray): The whole image, uint8 RGB (H, W, 3).
        regions (tuple[CropRegion, ...]): One for each face, in whole pixels.
        images (Tensor): The regions as the model sees them, float32 in [-1, 1], shape (F, 3, S, S).
        is_face (bool): The regions were found by detection.
    """

    pixels: np.ndarray
    regions: tuple[CropRegion, ...]
    images: Tensor
    is_face: bool

    def faces(self, size: int) -> Tensor:
        """The regions in another resolution, shape (F, 3, size, size), float32 in [-1, 1]."""
        crops = np.stack([crop_region(self.pixels, region, size) for region in self.regions])
        return from_uint8(torch.from_numpy(to_channels_first(crops)))


class FaceCropper:
    """Finds faces and crops to them.

    Args:
        animator (Animator): The model, which knows the crop of its training.
        crop (str | Mapping): ``'auto'``: the animator's ``face_crop``, if it has one, a face is found, and the image is
            not cropped like that already; otherwise the animator's ``crop``. Or a key of
            :data:`~leokit.croppers.CROP_PRESETS` or the config of a cropper, which need a face; or one of
            :data:`~leokit.video.resize.CROPS`.
        face (str | int): Which face of a source; see :func:`~leokit.face_detectors.choose_faces`.
        driving_face (str | int): Which face of a driving video, one only.
        detector (str | Mapping): See :func:`~leokit.face_detectors.build_face_detector`; ``'auto'`` takes the one of
            the crop's convention.
        follow (str): See :func:`~leokit.croppers.find_track`.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """

    def __init__(self, animator: Animator, *, crop: str | Mapping[str, Any] = AUTO, face: str | int = 'largest',
                 driving_face: str | int = 'largest', detector: str | Mapping[str, Any] = AUTO, follow: str = AUTO,
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        self.size = animator.size
        self.whole = crop if crop in CROPS else animator.crop
        self.face = parse_face(face)
        self.driving_face = parse_face(driving_face)
        if self.driving_face == 'all':
            raise UserError('one face drives; choose largest, left, right or a number')
        self.follow = follow
        self.background = background
        self.optional = crop == AUTO
        name = getattr(animator, 'face_crop', None) if self.optional else None if crop in CROPS else crop
        if name and self.optional and not is_detector_installed():
            _log('no face detector is installed, so images and videos are not cropped to the face; install one with: '
                 'pip install "leokit[faces]", or crop them yourself')
            name = None
        self.preset = find_preset(name) if name else None
        self._detector = detector
        if self.preset is None and (self.face not in ('largest', 0) or self.driving_face not in ('largest', 0)):
            raise UserError(f'a face can be chosen only if the crop is one to faces, such as celebv_hq; here it is '
                            f'{self.whole!r}')

    @cached_property
    def detector(self) -> FaceDetector:
        """FaceDetector: Built when it is needed first."""
        config = self._detector
        if config == AUTO and self.preset.detector:
            config = self.preset.detector
        return build_face_detector(config, landmarks=build_cropper(self.preset).needs_landmarks)

    def image(self, image: ImageInput, name: object = None) -> CroppedImage:
        """Crop a source image."""
        name = name or (image if isinstance(image, (str, Path)) else 'the image')
        pixels = image_pixels(image, str(name), background=self.background)
        regions = self._face_regions(pixels, name) if self.preset else ()
        is_face = bool(regions)
        regions = regions or (whole_region(pixels.shape[:2], self.whole),)
        crops = np.stack([crop_region(pixels, region, self.size) for region in regions])
        images = from_uint8(torch.from_numpy(to_channels_first(crops)))
        return CroppedImage(pixels, regions, images, is_face)

    def driving_image(self, image: ImageInput, name: object = None) -> Tensor:
        """The face of an image as a driver, shape (1, 3, S, S)."""
        face, self.face = self.face, self.driving_face
        try:
            return self.image(image, name).images
        finally:
            self.face = face

    def video(self, video: VideoHandle, *, driving: bool = True) -> VideoHandle:
        """Crop a driving video; closing the result closes the video."""
        track = self.track(video, driving=driving)
        return video if track is None else CroppedVideo(video, track, self.size)

    def track(self, video: VideoHandle, *, driving: bool = False) -> CropTrack | None:
        """The region of the face in a video; None if it is taken as a whole."""
        if self.preset is None:
            return None
        which = self.driving_face if driving else self.face
        if which == 'all':
            raise UserError(f'{video.path} is a video, of which one face is animated; choose largest, left, right or a '
                            'number')
        cropper = build_cropper(self.preset, driving=driving)
        with self._missing_face_allowed(video.path):
            track = find_track(video, self.detector, cropper, which=which, follow=self.follow)
            if self.optional and not track.moves and self._is_cropped(track.at(0), video.read([0]).shape[1:3]):
                return None
            return track
        return None

    def frame_region(self, frame: np.ndarray) -> CropRegion | None:
        """The region of the driving face in one frame of a camera; None without a face."""
        faces = self.detector.detect(frame) if self.preset else []
        if isinstance(self.driving_face, int) and self.driving_face >= len(faces):
            return None  # it may come
        if not faces:
            return None
        chosen = choose_faces(faces, self.driving_face, 'the frame')
        region = build_cropper(self.preset, driving=True).region(chosen, frame.shape[:2]).rounded()
        cropped = self.optional and self._is_cropped(region, frame.shape[:2])
        return whole_region(frame.shape[:2], self.whole) if cropped else region

    def _face_regions(self, pixels: np.ndarray, name: object) -> tuple[CropRegion, ...]:
        frame_size = pixels.shape[:2]
        cropper = build_cropper(self.preset)
        with self._missing_face_allowed(name):
            faces = self.detector.detect(pixels, thorough=True)
            if not faces:
                raise no_face(name)
            chosen = choose_faces(faces, self.face, name)
            regions = tuple(cropper.region([face], frame_size).rounded() for face in chosen)
            if self.optional and len(regions) == 1 and self._is_cropped(regions[0], frame_size):
                return ()
            if self.face == 'all':  # those that are whole
                whole = [not is_cut(face, frame_size) for face in chosen]
                regions = tuple(region for region, good in zip(regions, whole) if good)
            if not regions or (len(chosen) == 1 and is_cut(chosen[0], frame_size)):
                raise cut_face(name)
            return regions
        return ()

    def _is_cropped(self, region: CropRegion, frame_size: tuple[int, int]) -> bool:
        """Whether a frame is cropped like that already."""
        return _overlap(region, whole_region(frame_size, self.whole)) >= ALREADY_CROPPED

    @contextmanager
    def _missing_face_allowed(self, name: object) -> Iterator[None]:
        """If faces are optional, a missing one is named in the log only."""
        try:
            yield
        except NoFaceError:
            if not self.optional:
                raise
            _log(f'no face was found in {name}; it is not cropped to a face')


def whole_region(frame_size: tuple[int, int], crop: str) -> CropRegion:
    """The region that :func:`~leokit.video.resize.fit_frames` takes: the central square, or the whole frame."""
    height, width = frame_size
    if crop == 'none':
        return CropRegion(width / 2, height / 2, width, height)
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    return CropRegion(left + side / 2, top + side / 2, side, side)


def _overlap(region: CropRegion, other: CropRegion) -> float:
    """Intersection over union of two regions that are not turned."""
    shared = 1.0
    for center, side, center_2, side_2 in ((region.x, region.width, other.x, other.width),
                                           (region.y, region.height, other.y, other.height)):
        low, high = max(center - side / 2, center_2 - side_2 / 2), min(center + side / 2, center_2 + side_2 / 2)
        shared *= max(0.0, high - low)
    return shared / (region.width * region.height + other.width * other.height - shared)


def _log(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)
