"""Inference with trained models: generate, continue, animate, edit, manipulate, extract motion codes."""

from leokit.inference.animation import TRANSFER_MODES, VideoAnimator
from leokit.inference.code_extraction import ExtractionReport, extract_motion_codes
from leokit.inference.editing import edit_each_frame, edit_first_frame, edit_images, edit_video
from leokit.inference.generation import VideoGenerator
from leokit.inference.leo import LEO
from leokit.inference.loading import animator_of, change_sampler, load
from leokit.inference.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.inference.model_source import is_leo_config
from leokit.inference.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.inference.rendering import CHUNK_SIZE, encode, render, repeat_encoding
from leokit.inference.start_frame_sampler import StartFrameSampler, resize_frames
from leokit.inference.training_codes import ensure_codes
from leokit.inference.unconditional import InitialStates, UnconditionalGenerator

__all__ = [
    'CHUNK_SIZE', 'DirectionNames', 'ExtractionReport', 'FrameStream', 'InitialStates', 'LEO', 'OUTPUT_SUFFIXES',
    'StartFrameSampler', 'TRANSFER_MODES', 'UnconditionalGenerator', 'VideoAnimator', 'VideoGenerator', 'animator_of',
    'change_sampler', 'edit_each_frame', 'edit_first_frame', 'edit_images', 'edit_video', 'encode', 'ensure_codes',
    'extract_motion_codes', 'is_leo_config', 'load', 'manipulate_image', 'manipulate_video', 'render',
    'repeat_encoding', 'resize_frames', 'write_videos',
]
