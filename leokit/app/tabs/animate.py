"""Tab Animate: a source image moves like a driving video."""

import copy
from collections.abc import Generator
from pathlib import Path

import gradio as gr
import torch

from leokit.app.context import AppContext, one_of, real_number
from leokit.app.jobs import Job, Progress, Result, Updates
from leokit.app.layout import Layout, ResultPanel, Toolbar, image_input, video_input
from leokit.app.uploads import open_video_upload, read_image_upload, sound_of
from leokit.inference import (
    TRANSFER_MODES, CroppedImage, DrivingCodes, FaceCropper, MotionTransfer, VideoAnimator, detailed_faces,
    paste_into_image)
from leokit.inference.source_details import supports_details
from leokit.models import Animator
from leokit.video.readers import VideoHandle

TAB = 'animate'
MODES = [("The source's own pose, moved", 'relative'), ('The pose of the driving video', 'absolute')]
START_FRAMES = ('auto', 'first', 'mean')
STARTS = [('the driving frame nearest to it', 'auto'), ('the first driving frame', 'first'),
          ('the mean pose of the driving video', 'mean')]
CROPS = ('auto', 'center', 'none')
CROP_CHOICES = [('Automatic: to the face, if the model was trained on faces', 'auto'), ('The central square', 'center'),
                ('The whole picture, squeezed to a square', 'none')]
MAX_SCALE, MAX_SMOOTH = 2.0, 0.3
MAX_RESOLUTION = 512  # of pictures that are not cropped to a face


def animate(context: AppContext, job: Job, source: str | None, driving: str | None, mode: str, start_frame: str,
            motion_scale: float, smooth: float, crop: str) -> Updates:
    """Animate an uploaded image with an uploaded video; its sound is kept."""
    transfer = MotionTransfer(**transfer_options(mode, start_frame, motion_scale, smooth))
    cropper = FaceCropper(context.animator, crop=one_of(crop, 'the crop', CROPS))
    model = context.animator
    if crop != 'auto':  # the model is shared; its crop is not changed
        model = copy.copy(model)
        model.crop = crop
    animator = VideoAnimator(model, amp=context.models.leo.amp)
    pixels = read_image_upload(source, 'The source image', context.limits)
    with open_video_upload(driving, 'The driving video', context.limits) as video:
        yield Progress('Looking for the face')
        image = cropper.image(pixels, Path(source).name)
        cropped = cropper.video(video)
        job.check()
        motion: VideoHandle | DrivingCodes = cropped
        if transfer.needs_whole_video:
            motion = yield from _read_motion(job, animator, cropped)
        with context.turn:
            details = _details(model, image)
            chunks = animator.animate(image.images, motion, transfer=transfer, details=details)
        sound = sound_of(driving)
        paths = yield from job.write(paste_into_image(chunks, image) if image.is_face else chunks, ['animated.mp4'],
                                     len(video), video.fps, sound=sound)
        notes = [f'{len(video)} frames at {video.fps:.4g} frames per second']
    if start_frame == 'auto' and transfer.start_frames:
        notes.append(f'driving frame {transfer.start_frames[0]} stands for the pose of the source')
    if image.is_face:
        notes.append('the face was cropped and pasted back')
    elif details is not None:
        size = details.shape[-1]
        notes.append(f'{size}x{size} with the details of the picture (in the command: --resolution {size})')
    yield Result(paths, ', '.join([*notes, 'with sound' if sound else 'no sound']))


def _details(model: Animator, image: CroppedImage) -> torch.Tensor | None:
    """The source at the resolution of the result; None if that is the model's."""
    if not supports_details(model):
        return None
    if image.is_face:
        return detailed_faces(image)
    side = max(image.regions[0].width, image.regions[0].height)
    size = min(MAX_RESOLUTION, round(side)) // 2 * 2  # even, as videos need it
    return image.faces(size) if size > model.size else None


def transfer_options(mode: str, start_frame: str, motion_scale: float, smooth: float) -> dict[str, object]:
    """The arguments of :class:`MotionTransfer`, checked."""
    return dict(mode=one_of(mode, 'the transfer mode', TRANSFER_MODES),
                start_frame=one_of(start_frame, 'the start frame', START_FRAMES),
                motion_scale=real_number(motion_scale, 'the amount of motion', 0, MAX_SCALE),
                smooth_seconds=real_number(smooth, 'the smoothing', 0, MAX_SMOOTH))


def _read_motion(job: Job, animator: VideoAnimator, video: VideoHandle) -> Generator[Progress, None, DrivingCodes]:
    """The codes of the whole driving video."""
    pieces, done = [], 0
    for codes in job.computed(animator.codes(video)):
        pieces.append(codes[0].cpu())
        done += len(pieces[-1])
        yield Progress(f'Reading the motion: frame {done} of {len(video)}')
    return DrivingCodes(torch.cat(pieces), video.fps, animator.animator.code_origin)


def build(layout: Layout) -> None:
    """Lay out the tab."""
    layout.introduction('The face in the image moves like the face in the video. It works best if both look at the '
                        'camera and fill the picture alike.')
    with gr.Row():
        with gr.Column(scale=5):
            with gr.Row():
                source = image_input('Source image', f'{TAB}-source')
                driving = video_input('Driving video', f'{TAB}-driving')
            mode = gr.Radio(MODES, value=layout.context.animator.transfer_mode, label='Pose of the result',
                            elem_id=f'{TAB}-mode')
            with gr.Accordion('Motion and crop', open=False, elem_id=f'{TAB}-motion'):
                start = gr.Dropdown(STARTS, value='auto', label="What stands for the source's own pose",
                                    elem_id=f'{TAB}-start')
                with gr.Row():
                    scale = gr.Slider(0, MAX_SCALE, value=1, step=0.05, label='Amount of motion',
                                      info='1 is that of the video', elem_id=f'{TAB}-scale')
                    smooth = gr.Slider(0, MAX_SMOOTH, value=0, step=0.01, label='Smoothing',
                                       info='seconds; 0 is none', elem_id=f'{TAB}-smooth')
                crop = gr.Dropdown(CROP_CHOICES, value='auto', label='Crop of image and video', elem_id=f'{TAB}-crop')
            toolbar = Toolbar(TAB, 'Animate')
            layout.examples([[portrait, clip] for portrait, clip in zip(
                layout.drawn.portraits, layout.drawn.clips)], [source, driving], TAB)
        with gr.Column(scale=4):
            panel = ResultPanel(TAB)
    inputs = [source, driving, mode, start, scale, smooth, crop]
    layout.command(panel, inputs, lambda source, driving, *values: layout.commands.animate(
        source, driving, **transfer_options(*values[:-1]), crop=one_of(values[-1], 'the crop', CROPS)))
    layout.run(TAB, toolbar, panel, inputs, animate)
