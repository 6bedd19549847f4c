"""Croppers: the region around a face that a model sees, in the published conventions; tracks; paste-back."""

from leokit.croppers.base import Cropper, CropRegion
from leokit.croppers.box_croppers import LIAXCropper, MarginCropper, SquareCropper
from leokit.croppers.landmark_cropper import LandmarkCropper
from leokit.croppers.paste import Paster
from leokit.croppers.pixels import CroppedVideo, crop_region
from leokit.croppers.presets import CROP_PRESETS, CropPreset, build_cropper, find_preset
from leokit.croppers.tracking import FaceTrack, find_track

__all__ = ['CROP_PRESETS', 'CropPreset', 'CropRegion', 'CroppedVideo', 'Cropper', 'FaceTrack', 'LIAXCropper',
           'LandmarkCropper', 'MarginCropper', 'Paster', 'SquareCropper', 'build_cropper', 'crop_region', 'find_preset',
           'find_track']
