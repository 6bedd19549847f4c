"""Tab Manipulate: sliders move an image along directions of the motion space, and then a whole video."""

import math
from collections.abc import Sequence

import gradio as gr

from leokit.app.context import AppContext
from leokit.app.jobs import Job, Progress, Result, Updates
from leokit.app.layout import Layout, ResultPanel, Toolbar, image_input, video_input
from leokit.app.preview import HINT, offsets_of, preview
from leokit.app.uploads import open_video_upload, sound_of
from leokit.inference import FaceClip, FaceCropper, manipulate_video

TAB = 'manipulate'
NUM_OPEN = 6  # dimensions without a name that are not folded away


def manipulate(context: AppContext, job: Job, video: str | None, *amounts: float) -> Updates:
    """Move an uploaded video by the offsets of the sliders."""
    offsets = offsets_of(context, amounts)
    with open_video_upload(video, 'The video', context.limits) as opened, \
            open_video_upload(video, 'The video', context.limits) as canvas:
        yield Progress('Looking for the face')
        clip = FaceClip(opened, canvas, FaceCropper(context.animator))
        offset = context.models.leo.directions.offset(offsets)[None]
        with context.turn:
            chunks = manipulate_video(context.animator, clip.cropped, offset)
        stream = clip.stream(chunks, paste_back=clip.is_face)
        paths = yield from job.write(stream, ['manipulated.mp4'], len(opened), opened.fps, sound=sound_of(video))
        notes = [f'{len(opened)} frames at {opened.fps:.4g} frames per second', clip.describe(paste_back=clip.is_face)]
        yield Result(paths, ', '.join(note for note in notes if note))


def build(layout: Layout) -> None:
    """Lay out the tab."""
    context = layout.context
    layout.introduction('Each slider moves the face along one direction of the motion space. Directions with a name '
                        'are those that directions.json next to the checkpoint defines.')
    with gr.Row():
        with gr.Column(scale=5):
            image = image_input('Image', f'{TAB}-image', height=220)
            layout.examples([[portrait] for portrait in layout.drawn.portraits], [image], TAB)
            sliders = _sliders(context)
            reset = gr.Button('Reset all sliders', size='sm', elem_id=f'{TAB}-reset')
        with gr.Column(scale=4):
            shown = gr.HTML(HINT, elem_id=f'{TAB}-preview')
            command = layout.command_line(TAB)
            with gr.Accordion('Apply to a video', open=False, elem_id=f'{TAB}-open'):
                video = video_input('Video', f'{TAB}-video')
                toolbar = Toolbar(f'{TAB}-video', 'Manipulate the video')
                layout.examples([[clip] for clip in layout.drawn.clips], [video], f'{TAB}-video')
                panel = ResultPanel(f'{TAB}-video')
    show = layout.preview([image.change, *(slider.input for slider in sliders)], [image, *sliders], shown,
                          lambda visitor, *values: preview(context, visitor, *values))
    reset.click(lambda: [0] * len(sliders), None, sliders, **layout.quiet).then(**show)
    layout.command_text(command, [image, *sliders], lambda image, *amounts: layout.commands.manipulate(
        image, offsets_of(context, amounts)))
    layout.command(panel, [video, *sliders], lambda video, *amounts: layout.commands.manipulate(
        video, offsets_of(context, amounts), is_video=True))
    layout.run(f'{TAB}-video', toolbar, panel, [video, *sliders], manipulate)


def _sliders(context: AppContext) -> list[gr.Slider]:
    """A slider for each direction: the named ones first; of many dimensions, most are folded away."""
    directions, names = context.directions(), context.models.leo.directions.names
    first, rest = (directions[:len(names)], directions[len(names):]) if names else \
        (directions[:NUM_OPEN], directions[NUM_OPEN:])

    def row(chosen: Sequence[str]) -> list[gr.Slider]:
        sliders = []
        for start in range(0, len(chosen), 2):
            with gr.Row():
                for direction in chosen[start:start + 2]:
                    bound, step = _rounded(context.direction_range(direction))
                    label = direction if direction in names else f'Dimension {direction}'
                    sliders.append(gr.Slider(-bound, bound, value=0, step=step, label=label, min_width=120,
                                             elem_classes='leokit-slider',
                                             elem_id=f'{TAB}-direction-{directions.index(direction)}'))
        return sliders
    sliders = row(first)
    if rest:
        title = 'All dimensions of the motion code' if names else f'{len(rest)} more dimensions'
        with gr.Accordion(title, open=False):
            sliders += row(rest)
    return sliders


def _rounded(bound: float) -> tuple[float, float]:
    """A bound as a round number that is not smaller, and a step of which it is a multiple."""
    step = 0.05 * 10 ** math.floor(math.log10(bound))
    return round(math.ceil(bound / step - 1e-6) * step, 9), round(step, 9)
