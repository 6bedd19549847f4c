"""Inference with trained models: generate, continue, animate, edit, manipulate, extract motion codes.

What reads datasets is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leokit.inference.animation import TRANSFER_MODES, VideoAnimator
from leokit.inference.compilation import MIN_COMPILED_FRAMES, compile_for
from leokit.inference.driving_codes import DrivingCodes, is_code_file, is_image_driver
from leokit.inference.editing import edit_each_frame, edit_first_frame, edit_images, edit_video
from leokit.inference.face_clip import FaceClip, open_clip
from leokit.inference.face_cropper import CroppedImage, FaceCropper
from leokit.inference.generation import VideoGenerator
from leokit.inference.leo import LEO
from leokit.inference.live import LiveAnimator
from leokit.inference.loading import animator_of, change_sampler, load
from leokit.inference.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.inference.model_source import is_leo_config
from leokit.inference.motion_transfer import START_FRAMES, MotionTransfer, nearest_frame
from leokit.inference.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.inference.paste_back import detailed_faces, paste_into_image
from leokit.inference.regions import REGIONS, region_map
from leokit.inference.rendering import CHUNK_SIZE, encode, render, repeat_encoding
from leokit.inference.smoothing import SMOOTHING_FILTERS, OneEuroFilter, kalman_smooth
from leokit.inference.start_frame_sampler import StartFrameSampler, resize_frames
from leokit.inference.unconditional import InitialStates, UnconditionalGenerator
from leokit.inference.video_source import VideoSource, animate_video, paste_into_video

if TYPE_CHECKING:
    from leokit.inference.code_extraction import ExtractionReport, extract_motion_codes
    from leokit.inference.training_codes import ensure_codes

__all__ = [
    'CHUNK_SIZE', 'CroppedImage', 'DirectionNames', 'DrivingCodes', 'ExtractionReport', 'FaceClip', 'FaceCropper',
    'FrameStream',
    'InitialStates', 'LEO', 'LiveAnimator', 'MIN_COMPILED_FRAMES', 'MotionTransfer', 'OUTPUT_SUFFIXES', 'OneEuroFilter',
    'REGIONS', 'SMOOTHING_FILTERS', 'START_FRAMES', 'StartFrameSampler', 'TRANSFER_MODES', 'UnconditionalGenerator',
    'VideoAnimator', 'VideoGenerator', 'VideoSource', 'animate_video', 'animator_of', 'change_sampler', 'compile_for',
    'detailed_faces', 'edit_each_frame', 'edit_first_frame', 'edit_images', 'edit_video', 'encode', 'ensure_codes',
    'extract_motion_codes', 'is_code_file', 'is_image_driver', 'is_leo_config', 'kalman_smooth', 'load',
    'manipulate_image', 'manipulate_video', 'nearest_frame', 'open_clip', 'paste_into_image',
    'paste_into_video', 'region_map',
    'render', 'repeat_encoding', 'resize_frames', 'write_videos',
]

_MODULES = dict(ExtractionReport='code_extraction', extract_motion_codes='code_extraction',
                ensure_codes='training_codes')


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'leokit.inference.{_MODULES[name]}'), name)
