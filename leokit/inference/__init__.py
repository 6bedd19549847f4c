"""Inference with trained models: generate, continue, animate, edit, manipulate, extract motion codes."""

from leokit.inference.animation import TRANSFER_MODES, VideoAnimator
from leokit.inference.assembly import Parts, assemble, load_named_animator, load_parts, names_models
from leokit.inference.code_extraction import ExtractionReport, extract_motion_codes
from leokit.inference.editing import Coherence, edit_each_frame, edit_images, edit_video, measure_edit
from leokit.inference.generation import VideoGenerator, check_same_codes, sample_seeds
from leokit.inference.leo import LEO
from leokit.inference.loading import (
    animator_of, change_sampler, load_animator, load_motion_diffusion, load_start_code_diffusion,
    load_start_frame_diffusion)
from leokit.inference.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.inference.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.inference.rendering import CHUNK_SIZE, encode, render, repeat_encoding
from leokit.inference.start_frame_sampler import StartFramePainter, resize_frames
from leokit.inference.training_codes import ensure_codes, training_crop
from leokit.inference.unconditional import Starts, UnconditionalGenerator, check_painter

__all__ = [
    'CHUNK_SIZE', 'Coherence', 'DirectionNames', 'ExtractionReport', 'FrameStream', 'LEO', 'OUTPUT_SUFFIXES', 'Parts',
    'StartFramePainter', 'Starts', 'TRANSFER_MODES', 'UnconditionalGenerator', 'VideoAnimator', 'VideoGenerator',
    'animator_of', 'assemble', 'change_sampler', 'check_painter', 'check_same_codes', 'edit_each_frame',
    'edit_images', 'edit_video', 'encode', 'ensure_codes', 'extract_motion_codes', 'load_animator',
    'load_motion_diffusion', 'load_named_animator', 'load_parts', 'load_start_code_diffusion',
    'load_start_frame_diffusion', 'manipulate_image', 'manipulate_video', 'measure_edit', 'names_models', 'render',
    'repeat_encoding', 'resize_frames', 'sample_seeds', 'training_crop', 'write_videos',
]
