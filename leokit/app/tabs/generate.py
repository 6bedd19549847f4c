"""Tab Generate: several videos that start with the same image."""

from pathlib import Path

import gradio as gr

from leokit.app.context import AppContext, whole_number
from leokit.app.jobs import Job, Result, Updates
from leokit.app.layout import GenerationSettings, Layout, ResultPanel, Toolbar, image_input
from leokit.app.uploads import read_image_upload
from leokit.video.frame_rate import DEFAULT_FPS

TAB = 'generate'


def generate(context: AppContext, job: Job, image: str | None, count: int, num_frames: int, seed: int,
             steps: int) -> Updates:
    """Generate videos from an uploaded first frame."""
    count = whole_number(count, 'the number of videos', 1, context.limits.max_videos)
    num_frames, seed, steps = GenerationSettings.check(context, num_frames, seed, steps)
    source = context.face(read_image_upload(image, 'The first frame', context.limits), image)
    generator = context.models.leo.generator
    with context.turn:
        chunks = generator.generate(source, num_frames, num_sequences=count, seed=seed, sampler=context.sampler(steps))
    names = [f'{Path(image).stem}_{number:04d}.mp4' for number in range(count)]
    fps = generator.fps or DEFAULT_FPS
    paths = yield from job.write(chunks, names, num_frames, fps)
    yield Result(paths, f'{count} {"video" if count == 1 else "videos"} of {num_frames} frames at {fps:.4g} frames per '
                        'second')


def build(layout: Layout) -> None:
    """Lay out the tab."""
    if reason := layout.context.missing('generator'):
        layout.unavailable(reason)
        return
    layout.introduction('The image becomes the first frame, and the motion diffusion invents how it goes on. Another '
                        'seed gives other motion.')
    limits, model = layout.context.limits, layout.context.models.leo.generator.motion_diffusion
    with gr.Row():
        with gr.Column(scale=4):
            image = image_input('First frame', f'{TAB}-image')
            count = gr.Slider(1, limits.max_videos, value=min(2, limits.max_videos), step=1, label='Videos',
                              elem_id=f'{TAB}-count')
            with gr.Row():
                settings = GenerationSettings(layout.context, TAB, 2 * model.num_frames)
            toolbar = Toolbar(TAB, 'Generate')
            layout.examples([[portrait] for portrait in layout.drawn.portraits], [image], TAB)
        with gr.Column(scale=5):
            panel = ResultPanel(TAB, videos=limits.max_videos)
    inputs = [image, count, *settings.inputs]
    layout.command(panel, inputs, lambda image, count, num_frames, seed, steps: layout.commands.generate(
        image, num_frames=num_frames, num_sequences=count, seed=seed, steps=steps))
    layout.run(TAB, toolbar, panel, inputs, generate)
