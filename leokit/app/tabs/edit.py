"""Tab Edit: the first frame of a video is edited, and the video's own motion carries the edit along."""

from pathlib import Path

import gradio as gr

from leokit.app.context import AppContext, one_of, real_number
from leokit.app.jobs import Job, Progress, Result, Updates
from leokit.app.layout import Layout, ResultPanel, Toolbar, image_input, video_input
from leokit.app.preview import data_uri, figures
from leokit.app.uploads import open_video_upload, read_image_upload, sound_of
from leokit.image_editors import BlurRegion, ImageEditor, Recolor
from leokit.image_editors.edited_file import region_of_edited
from leokit.inference import FaceClip, FaceCropper, edit_images, edit_video

TAB = 'edit'
RECOLOR, BLUR, FILE = 'Recolor', 'BlurRegion', 'file'
EDITS = [('Change the colors', RECOLOR), ('Blur a region', BLUR), ('Use an edited image', FILE)]


def editor_of(edit: str, hue: float, saturation: float, left: float, top: float, right: float,
              bottom: float) -> tuple[ImageEditor | None, dict[str, object]]:
    """The image editor of the controls and its options as ``leokit edit`` takes them; None for an edited image."""
    if one_of(edit, 'the edit', (RECOLOR, BLUR, FILE)) == RECOLOR:
        options: dict[str, object] = dict(hue=real_number(hue, 'the hue', -180, 180),
                                          saturation=real_number(saturation, 'the saturation', 0, 3))
        return Recolor(**options), {key: f'{value:g}' for key, value in options.items()}
    if edit == BLUR:
        box = [real_number(value, 'a side of the region', 0, 1) for value in (left, top, right, bottom)]
        return BlurRegion(box), dict(box=','.join(f'{value:g}' for value in box))
    return None, {}


def edit(context: AppContext, job: Job, video: str | None, chosen: str, edited: str | None, *values: float) -> Updates:
    """Edit an uploaded video; the face of an edited image is put back into the frames."""
    editor, _ = editor_of(chosen, *values)
    with open_video_upload(video, 'The video', context.limits) as opened, \
            open_video_upload(video, 'The video', context.limits) as canvas:
        change = editor or read_image_upload(edited, 'The edited first frame', context.limits)
        yield Progress('Looking for the face')
        clip = FaceClip(opened, canvas, FaceCropper(context.animator))
        paste_back = editor is None and clip.is_face
        if paste_back:
            change = region_of_edited(change, clip.first_region, clip.whole.frame_size, 'The edited first frame')
        with context.turn:
            chunks = edit_video(context.animator, clip.cropped, change, amp=context.models.leo.amp)
        stream = clip.stream(chunks, paste_back=paste_back)
        paths = yield from job.write(stream, ['edited.mp4'], len(opened), opened.fps, sound=sound_of(video))
        notes = [f'{len(opened)} frames at {opened.fps:.4g} frames per second', clip.describe(paste_back=paste_back)]
        yield Result(paths, ', '.join(note for note in notes if note))


def preview(context: AppContext, video: str | None, chosen: str, edited: str | None, *values: float) -> str:
    """HTML of the first frame, which can be saved to be edited elsewhere, and of the edited one."""
    if not video:
        return ''
    with open_video_upload(video, 'The video', context.limits) as opened:
        original = opened.read([0])[0]
    cropper = FaceCropper(context.animator)
    first = cropper.image(original, Path(video).name)
    editor, _ = editor_of(chosen, *values)
    changed = None
    if editor:
        changed = edit_images(editor, first.images)
    elif edited:
        pixels = read_image_upload(edited, 'The edited first frame', context.limits)
        if first.is_face:
            pixels = region_of_edited(pixels, first.regions[0], original.shape[:2], 'The edited first frame')
        changed = context.source(pixels)
    shown = {'First frame': context.pixels(first.images)} | (
        {} if changed is None else {'Edited': context.pixels(changed)})
    name = f'{Path(video).stem}_first_frame.png'
    return figures(shown) + (f'<a class="leokit-link" download="{name}" href="{data_uri(original)}">Save the first '
                             'frame, to edit it with another program</a>')


def build(layout: Layout) -> None:
    """Lay out the tab."""
    layout.introduction('Only the first frame is edited, by a filter here or with any program; the motion of the video '
                        'carries the edit to all other frames without flicker.')
    with gr.Row():
        with gr.Column(scale=5):
            video = video_input('Video', f'{TAB}-video')
            chosen = gr.Radio(EDITS, value=RECOLOR, label='Edit', elem_id=f'{TAB}-edit')
            with gr.Row() as recolor:
                hue = gr.Slider(-180, 180, value=120, step=5, label='Hue', info='degrees', elem_id=f'{TAB}-hue')
                saturation = gr.Slider(0, 3, value=1, step=0.05, label='Saturation', info='factor',
                                       elem_id=f'{TAB}-saturation')
            with gr.Row(visible=False) as blur:
                box = [gr.Slider(0, 1, value=value, step=0.01, label=label, elem_id=f'{TAB}-{label.lower()}')
                       for label, value in (('Left', 0.25), ('Top', 0.25), ('Right', 0.75), ('Bottom', 0.55))]
            with gr.Column(visible=False) as from_file:
                edited = image_input('Edited first frame', f'{TAB}-edited')
            first = gr.HTML(elem_id=f'{TAB}-first')
            toolbar = Toolbar(TAB, 'Edit the video')
            layout.examples([[clip] for clip in layout.drawn.clips], [video], TAB)
        with gr.Column(scale=4):
            panel = ResultPanel(TAB)
    chosen.change(lambda edit: [gr.update(visible=edit == kind) for kind in (RECOLOR, BLUR, FILE)], chosen,
                  [recolor, blur, from_file], **layout.quiet)
    inputs = [video, chosen, edited, hue, saturation, *box]
    layout.preview([video.change, chosen.change, edited.change, *(each.release for each in (hue, saturation, *box))],
                   inputs, first, lambda visitor, *values: preview(layout.context, *values))

    def command(video: str | None, chosen: str, edited: str | None, *values: float) -> str:
        editor, options = editor_of(chosen, *values)
        return layout.commands.edit(video, edited=edited, editor=chosen if editor else '', editor_options=options)
    layout.command(panel, inputs, command)
    layout.run(TAB, toolbar, panel, inputs, edit)
