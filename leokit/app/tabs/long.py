"""Tab Long: one long video, shown while it is made."""

from pathlib import Path

import gradio as gr

from leokit.app.context import AppContext, one_of
from leokit.app.jobs import Job, Result, Updates
from leokit.app.layout import GenerationSettings, Layout, ResultPanel, Toolbar, image_input, video_input
from leokit.app.uploads import open_video_upload, read_image_upload
from leokit.video.frame_rate import DEFAULT_FPS

TAB = 'long'
FROM_IMAGE, FROM_VIDEO = 'image', 'video'
STARTS = [('Start with an image', FROM_IMAGE), ('Continue a video', FROM_VIDEO)]


def generate_long(context: AppContext, job: Job, start: str, image: str | None, video: str | None, num_frames: int,
                  seed: int, steps: int) -> Updates:
    """Generate a long video from an uploaded image, or one that follows an uploaded video."""
    start = one_of(start, 'the start', (FROM_IMAGE, FROM_VIDEO))
    num_frames, seed, steps = GenerationSettings.check(context, num_frames, seed, steps)
    generator = context.models.leo.generator
    if start == FROM_IMAGE:
        source, given = context.face(read_image_upload(image, 'The first frame', context.limits), image), image
        generate = generator.generate
    else:
        with open_video_upload(video, 'The video to continue', context.limits) as opened:
            source, given = context.face(opened.read([len(opened) - 1])[0], video), video
        generate = generator.extend_from_images
    with context.turn:
        chunks = generate(source, num_frames, seed=seed, sampler=context.sampler(steps))
    fps = generator.fps or DEFAULT_FPS
    path = yield from job.write_live(chunks, f'{Path(given).stem}_0000.mp4', num_frames, fps)
    yield Result([path], f'{num_frames} frames at {fps:.4g} frames per second, {num_frames / fps:.1f} seconds')


def build(layout: Layout) -> None:
    """Lay out the tab."""
    if reason := layout.context.missing('generator'):
        layout.unavailable(reason)
        return
    layout.introduction('A video of any length is generated window by window. The frames appear while they are made; '
                        'the whole video follows at the end.')
    with gr.Row():
        with gr.Column(scale=4):
            start = gr.Radio(STARTS, value=FROM_IMAGE, show_label=False, container=False, elem_id=f'{TAB}-start')
            image = image_input('First frame', f'{TAB}-image')
            video = video_input('Video to continue', f'{TAB}-video', visible=False)
            with gr.Row():
                settings = GenerationSettings(layout.context, TAB, min(250, layout.context.limits.max_frames))
            toolbar = Toolbar(TAB, 'Generate')
            with gr.Column() as image_examples:
                layout.examples([[portrait] for portrait in layout.drawn.portraits], [image], TAB)
            with gr.Column(visible=False) as video_examples:
                layout.examples([[clip] for clip in layout.drawn.clips], [video], f'{TAB}-continue')
        with gr.Column(scale=5):
            panel = ResultPanel(TAB, live=True)
    start.change(lambda chosen: [gr.update(visible=chosen == FROM_IMAGE), gr.update(visible=chosen == FROM_VIDEO)] * 2,
                 start, [image, video, image_examples, video_examples], **layout.quiet)
    inputs = [start, image, video, *settings.inputs]
    layout.command(panel, inputs, lambda start, image, video, num_frames, seed, steps: layout.commands.long(
        image, video or 'talk.mp4' if start == FROM_VIDEO else None, num_frames=num_frames, seed=seed, steps=steps))
    layout.run(TAB, toolbar, panel, inputs, generate_long)
