"""Tab Compare: two clips side by side."""

from contextlib import ExitStack

import gradio as gr

from leokit.app.context import AppContext
from leokit.app.jobs import Job, Result, Updates
from leokit.app.layout import Layout, ResultPanel, Toolbar, video_input
from leokit.app.uploads import open_video_upload
from leokit.video.side_by_side import SideBySide, describe

TAB = 'compare'


def compare(context: AppContext, job: Job, left: str | None, right: str | None) -> Updates:
    """Put two uploaded videos side by side in one video."""
    with ExitStack() as stack:
        videos = [stack.enter_context(open_video_upload(path, label, context.limits))
                  for path, label in ((left, 'The left video'), (right, 'The right video'))]
        text = '; '.join(describe(video) for video in videos)
        joined = SideBySide(videos)
        paths = yield from job.write(joined.chunks(), ['compared.mp4'], len(joined), joined.fps)
    yield Result(paths, text)


def build(layout: Layout) -> None:
    """Lay out the tab."""
    layout.introduction('Two clips side by side in one video, in step: a driving video and its result, or two results '
                        'of different settings.')
    with gr.Row():
        with gr.Column(scale=5):
            with gr.Row():
                left = video_input('Left', f'{TAB}-left')
                right = video_input('Right', f'{TAB}-right')
            toolbar = Toolbar(TAB, 'Compare')
            layout.examples([list(layout.drawn.clips)], [left, right], TAB)
        with gr.Column(scale=4):
            panel = ResultPanel(TAB)
    layout.command(panel, [left, right], layout.commands.compare)
    layout.run(TAB, toolbar, panel, [left, right], compare)
