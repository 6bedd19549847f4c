"""Croppers: the region around a face or person that a model sees, in the published conventions; tracks; paste-back."""

from leokit.croppers.base import Cropper, CropRegion
from leokit.croppers.box_croppers import LIAXCropper, MarginCropper, SquareCropper
from leokit.croppers.landmark_cropper import LandmarkCropper
from leokit.croppers.paste import Paster
from leokit.croppers.person_tracking import PersonSearch, find_person_track
from leokit.croppers.pixels import CroppedVideo, crop_region
from leokit.croppers.presets import CROP_PRESETS, PERSON_CROP, CropPreset, build_cropper, find_preset
from leokit.croppers.tracking import CropTrack, find_track

__all__ = ['CROP_PRESETS', 'CropPreset', 'CropRegion', 'CropTrack', 'CroppedVideo', 'Cropper', 'LIAXCropper',
           'LandmarkCropper', 'MarginCropper', 'PERSON_CROP', 'Paster', 'PersonSearch', 'SquareCropper',
           'build_cropper', 'crop_region', 'find_person_track', 'find_preset', 'find_track']
