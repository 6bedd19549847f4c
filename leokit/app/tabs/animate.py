"""Tab Animate: a source image moves like a driving video."""

import gradio as gr

from leokit.app.context import AppContext, one_of
from leokit.app.jobs import Job, Result, Updates
from leokit.app.layout import Layout, ResultPanel, Toolbar, image_input, video_input
from leokit.app.uploads import open_video_upload, read_image_upload
from leokit.inference import TRANSFER_MODES, VideoAnimator
from leokit.video.sound import copy_sound

TAB = 'animate'
MODES = [('Relative: the motion since the first driving frame', 'relative'),
         ('Absolute: the pose of the driving video', 'absolute')]


def animate(context: AppContext, job: Job, source: str | None, driving: str | None, mode: str) -> Updates:
    """Animate an uploaded image with an uploaded video; its sound is kept."""
    mode = one_of(mode, 'the transfer mode', TRANSFER_MODES)
    image = context.source(read_image_upload(source, 'The source image', context.limits))
    with open_video_upload(driving, 'The driving video', context.limits) as video:
        chunks = VideoAnimator(context.animator, amp=context.models.leo.amp).animate(image, video, mode=mode)
        paths = yield from job.write(chunks, ['animated.mp4'], len(video), video.fps)
        text = f'{len(video)} frames at {video.fps:.4g} frames per second'
    sound = not copy_sound(driving, paths[0])
    yield Result(paths, f'{text}, {"with the sound of the driving video" if sound else "no sound"}')


def build(layout: Layout) -> None:
    """Lay out the tab."""
    layout.introduction('The face in the image moves like the face in the video. Both should look at the camera; with '
                        'relative transfer, the first driving frame should have a pose similar to that of the image.')
    with gr.Row():
        with gr.Column(scale=5):
            with gr.Row():
                source = image_input('Source image', f'{TAB}-source')
                driving = video_input('Driving video', f'{TAB}-driving')
            mode = gr.Radio(MODES, value='relative', label='Transfer', elem_id=f'{TAB}-mode')
            toolbar = Toolbar(TAB, 'Animate')
            layout.examples([[portrait, clip] for portrait, clip in zip(
                layout.drawn.portraits, layout.drawn.clips)], [source, driving], TAB)
        with gr.Column(scale=4):
            panel = ResultPanel(TAB)
    inputs = [source, driving, mode]
    layout.command(panel, inputs, lambda source, driving, mode: layout.commands.animate(
        source, driving, mode=one_of(mode, 'the transfer mode', TRANSFER_MODES)))
    layout.run(TAB, toolbar, panel, inputs, animate)
