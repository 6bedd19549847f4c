"""Pipelines: the models put together for people. Pictures and videos in, chunks of frames out."""

from leokit.pipelines.animation import TRANSFER_MODES, VideoAnimator
from leokit.pipelines.assembly import Parts, assemble, load_parts, names_models
from leokit.pipelines.code_extraction import ExtractionReport, extract_motion_codes
from leokit.pipelines.editing import edit_each_frame, edit_images, edit_video
from leokit.pipelines.generation import VideoGenerator, check_same_codes, sample_seeds
from leokit.pipelines.generation_test_loop import GenerationTestLoop
from leokit.pipelines.generation_val_loop import GenerationValLoop
from leokit.pipelines.inputs import (
    FramesHandle, Picture, Video, iterate_frames, open_video, read_first_frame, read_images, read_last_frame)
from leokit.pipelines.leo import LEO
from leokit.pipelines.loading import (
    animator_of, change_sampler, load_animator, load_motion_diffusion, load_start_code_diffusion,
    load_start_frame_diffusion)
from leokit.pipelines.manipulation import DirectionNames, labelled_grid, manipulate_image, manipulate_video
from leokit.pipelines.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.pipelines.rendering import CHUNK_SIZE, device_of, encode, render, repeat_encoding
from leokit.pipelines.start_frame_test_loop import StartFrameTestLoop
from leokit.pipelines.start_frames import StartFramePainter, resize_frames
from leokit.pipelines.training_codes import ensure_codes, training_crop
from leokit.pipelines.unconditional import Starts, UnconditionalGenerator, check_painter

__all__ = [
    'CHUNK_SIZE', 'DirectionNames', 'ExtractionReport', 'FrameStream', 'FramesHandle', 'GenerationTestLoop',
    'GenerationValLoop', 'LEO', 'OUTPUT_SUFFIXES', 'Parts', 'Picture', 'StartFramePainter', 'StartFrameTestLoop',
    'Starts', 'TRANSFER_MODES', 'UnconditionalGenerator', 'Video', 'VideoAnimator', 'VideoGenerator', 'animator_of',
    'assemble', 'change_sampler', 'check_painter', 'check_same_codes', 'device_of', 'edit_each_frame', 'edit_images',
    'edit_video', 'encode', 'ensure_codes', 'extract_motion_codes', 'iterate_frames', 'labelled_grid', 'load_animator',
    'load_motion_diffusion', 'load_parts', 'load_start_code_diffusion', 'load_start_frame_diffusion',
    'manipulate_image', 'manipulate_video', 'names_models', 'open_video', 'read_first_frame', 'read_images',
    'read_last_frame', 'render', 'repeat_encoding', 'resize_frames', 'sample_seeds', 'training_crop', 'write_videos',
]
