"""Pipelines: the models put together for people. Pictures and videos in, chunks of frames out."""

from leokit.pipelines.animation import TRANSFER_MODES, VideoAnimator
from leokit.pipelines.assembly import Parts, assemble, load_named_animator, load_parts, names_models
from leokit.pipelines.behaviour import behaviour_table, measure_behaviour
from leokit.pipelines.code_extraction import ExtractionReport, extract_motion_codes
from leokit.pipelines.code_probe import (
    direction_table, name_directions, probe_codes, probe_crossing, probe_table)
from leokit.pipelines.crossing import (
    Crossing, Motions, People, cross, generate_motions, read_motions, read_people)
from leokit.pipelines.crossing_sheets import crossing_sheet, crossing_video, motion_sheet, person_sheet
from leokit.pipelines.disentanglement import disentanglement_table, measure_disentanglement
from leokit.pipelines.editing import Coherence, edit_each_frame, edit_images, edit_video, measure_edit
from leokit.pipelines.expression_pairs import DrawnPairs, LandmarkPairs
from leokit.pipelines.expressions import ExpressionReport, measure_expressions
from leokit.pipelines.generation import VideoGenerator, check_same_codes, sample_seeds
from leokit.pipelines.generation_test_loop import GenerationTestLoop
from leokit.pipelines.generation_val_loop import GenerationValLoop
from leokit.pipelines.inputs import (
    FramesHandle, Picture, Video, iterate_frames, open_video, read_first_frame, read_images, read_last_frame)
from leokit.pipelines.leo import LEO
from leokit.pipelines.leo_test import LEOTest
from leokit.pipelines.loading import (
    animator_of, change_sampler, load_animator, load_motion_diffusion, load_start_code_diffusion,
    load_start_frame_diffusion)
from leokit.pipelines.manipulation import DirectionNames, labelled_grid, manipulate_image, manipulate_video
from leokit.pipelines.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.pipelines.rendering import CHUNK_SIZE, device_of, encode, render, repeat_encoding
from leokit.pipelines.scenario import Scenario
from leokit.pipelines.start_frame_test_loop import StartFrameTestLoop
from leokit.pipelines.start_frames import StartFramePainter, resize_frames
from leokit.pipelines.training_codes import ensure_codes, training_crop
from leokit.pipelines.unconditional import Starts, UnconditionalGenerator, check_painter

__all__ = [
    'CHUNK_SIZE', 'Coherence', 'Crossing', 'DirectionNames', 'DrawnPairs', 'ExpressionReport', 'ExtractionReport',
    'FrameStream', 'FramesHandle', 'GenerationTestLoop', 'GenerationValLoop', 'LEO', 'LEOTest', 'LandmarkPairs',
    'Motions', 'OUTPUT_SUFFIXES', 'Parts', 'People', 'Picture', 'Scenario', 'StartFramePainter',
    'StartFrameTestLoop', 'Starts', 'TRANSFER_MODES', 'UnconditionalGenerator', 'Video', 'VideoAnimator',
    'VideoGenerator', 'animator_of', 'assemble', 'behaviour_table', 'change_sampler', 'check_painter',
    'check_same_codes', 'cross', 'crossing_sheet', 'crossing_video', 'device_of', 'direction_table',
    'disentanglement_table', 'edit_each_frame', 'edit_images', 'edit_video', 'encode', 'ensure_codes',
    'extract_motion_codes', 'generate_motions', 'iterate_frames', 'labelled_grid', 'load_animator',
    'load_motion_diffusion', 'load_named_animator', 'load_parts', 'load_start_code_diffusion',
    'load_start_frame_diffusion', 'manipulate_image', 'manipulate_video', 'measure_behaviour',
    'measure_disentanglement', 'measure_edit', 'measure_expressions', 'motion_sheet', 'name_directions',
    'names_models', 'open_video', 'person_sheet', 'probe_codes', 'probe_crossing', 'probe_table',
    'read_first_frame', 'read_images', 'read_last_frame', 'read_motions', 'read_people', 'render',
    'repeat_encoding', 'resize_frames', 'sample_seeds', 'training_crop', 'write_videos',
]
