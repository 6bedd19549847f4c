"""Parts that the tabs are laid out with, and how their functions are connected to the page."""

import html
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from mmengine.logging import print_log

from leokit.app.commands import CommandLines
from leokit.app.context import AppContext, whole_number
from leokit.app.examples import Examples
from leokit.app.files import Visitor
from leokit.app.jobs import CanceledError, Job, Progress, Updates
from leokit.app.preview import figures
from leokit.utils import UserError
from leokit.utils.errors import explain_error

MAX_SEED = 2**31 - 1
MAX_STEPS = 250
PREVIEWS = 4  # previews computed at a time
HEIGHT = 280  # pixels of images and videos on the page
FILES = (gr.Image, gr.Video)
UNEXPECTED = 'An unexpected error occurred; its details are in the log of the server.'


def image_input(label: str, elem_id: str, *, height: int = HEIGHT) -> gr.Image:
    """A field for an image; the jobs get the path of the upload, which :mod:`leokit.app.uploads` checks."""
    return gr.Image(label=label, type='filepath', sources=['upload'], height=height, buttons=[], elem_id=elem_id)


def video_input(label: str, elem_id: str, *, visible: bool = True, height: int = HEIGHT) -> gr.Video:
    """A field for a video, as :func:`image_input`."""
    return gr.Video(label=label, sources=['upload'], height=height, elem_id=elem_id, visible=visible, buttons=[])


class Toolbar:
    """The buttons that start and cancel a job."""

    def __init__(self, tab: str, title: str) -> None:
        with gr.Row():
            self.start = gr.Button(title, variant='primary', scale=3, elem_id=f'{tab}-run')
            self.cancel = gr.Button('Cancel', variant='secondary', interactive=False, scale=1, min_width=90,
                                    elem_id=f'{tab}-cancel')


class ResultPanel:
    """Where a job shows its progress and its results.

    Args:
        tab (str): Name of the tab, for the addresses of the elements.
        videos (int): The most videos of a result.
        live (bool): Show the newest frame while the job runs.
    """

    def __init__(self, tab: str, *, videos: int = 1, live: bool = False) -> None:
        self.tab = tab
        self.live = gr.HTML(visible=False, elem_id=f'{tab}-live') if live else None
        self.videos = []
        for first in range(0, videos, 2):
            with gr.Row():
                for number in range(first, min(first + 2, videos)):
                    video = gr.Video(label='Result' if videos == 1 else f'Video {number}', interactive=False,
                                     height=HEIGHT + 60 if videos == 1 else HEIGHT, loop=True, autoplay=True,
                                     visible=number == 0, elem_id=f'{tab}-result-{number}', buttons=['download'])
                    self.videos.append(video)
        self.status = gr.HTML(elem_id=f'{tab}-status')
        self.download = gr.DownloadButton('Download', visible=False, size='sm', elem_id=f'{tab}-download') \
            if videos == 1 else None
        self.command = Layout.command_line(tab)

    def components(self, toolbar: Toolbar) -> list[Any]:
        """What a job changes, in the order of :meth:`update`."""
        extras = [part for part in (self.live, self.download) if part is not None]
        return [self.status, toolbar.start, toolbar.cancel, *self.videos, *extras]

    def update(self, status: str, running: bool, paths: Sequence[Path] | None = None,
               frame: np.ndarray | None = None) -> list[Any]:
        """New values for :meth:`components`; ``paths`` None leaves the videos as they are.

        The button that starts the next job is enabled by :meth:`Layout.run`.
        """
        values: list[Any] = [status, gr.update(interactive=False), gr.update(interactive=running)]
        for number in range(len(self.videos)):
            if paths is None:
                values.append(gr.skip())
            else:
                path = str(paths[number]) if number < len(paths) else None
                visible = number < max(1, len(paths)) and frame is None
                values.append(gr.update(value=path, visible=visible))
        if self.live is not None:
            values.append(gr.update(visible=frame is not None, value='' if frame is None else figures({'': frame})))
        if self.download is not None:
            values.append(gr.skip() if paths is None else gr.update(
                value=str(paths[0]) if paths else None, visible=bool(paths)))
        return values


class GenerationSettings:
    """The fields that the tabs with a motion diffusion share: frames, seed, denoising steps."""

    def __init__(self, context: AppContext, tab: str, num_frames: int) -> None:
        limit = context.limits.max_frames
        frames = gr.Number(min(num_frames, limit), label='Frames', precision=0, minimum=2, maximum=limit,
                           min_width=80, elem_id=f'{tab}-frames')
        seed = gr.Number(0, label='Seed', precision=0, minimum=0, maximum=MAX_SEED, min_width=80,
                         elem_id=f'{tab}-seed')
        steps = gr.Number(context.default_steps, label='Denoising steps', precision=0, minimum=1, maximum=MAX_STEPS,
                          min_width=80, elem_id=f'{tab}-steps')
        self.inputs = [frames, seed, steps]

    @staticmethod
    def check(context: AppContext, num_frames: object, seed: object, steps: object) -> tuple[int, int, int]:
        """The values of the fields, within the limits."""
        return (whole_number(num_frames, 'the number of frames', 2, context.limits.max_frames),
                whole_number(seed, 'the seed', 0, MAX_SEED),
                whole_number(steps, 'the number of steps', 1, MAX_STEPS))


class Layout:
    """Builds tabs and connects them.

    Args:
        context (AppContext): The state of the page.
        drawn (Examples): The examples.
    """

    # Gradio would convert uploads before the jobs can check them, and fail with its own words
    raw = dict(preprocess=False, api_visibility='private')
    # events that only change the page: no queue, no progress display
    quiet = dict(raw, queue=False, show_progress='hidden')

    def __init__(self, context: AppContext, drawn: Examples) -> None:
        self.context = context
        self.drawn = drawn
        self.commands = CommandLines(context.models)

    @staticmethod
    def introduction(text: str) -> None:
        """What the tab does, in a sentence or two."""
        gr.HTML(f'<p class="leokit-introduction">{html.escape(text)}</p>')

    @staticmethod
    def unavailable(reason: str) -> None:
        """Say that the models cannot do what the tab is for."""
        gr.HTML(f'<p class="leokit-hint">{html.escape(reason[:1].upper() + reason[1:])}.</p>')

    @staticmethod
    def command_line(tab: str) -> gr.Code:
        """The field for the command line that does the same."""
        return gr.Code(language=None, label='The same on the command line', interactive=False, wrap_lines=True,
                       show_line_numbers=False, lines=1, buttons=['copy'], elem_id=f'{tab}-command')

    @staticmethod
    def examples(rows: list[list[Any]], inputs: list[Any], tab: str, *, label: str = 'Examples (drawn faces)') -> None:
        """Examples that fill in the fields of a tab."""
        rows = [[str(value) if isinstance(value, Path) else value for value in row] for row in rows]
        gr.Examples(rows, inputs, cache_examples=False, label=label, elem_id=f'{tab}-examples',
                    api_visibility='private')

    def run(self, tab: str, toolbar: Toolbar, panel: ResultPanel, inputs: list[Any],
            work: Callable[..., Updates]) -> None:
        """Connect the buttons of a tab to its job: ``work(context, job, *values)``."""
        context = self.context

        def start(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
            values = _plain(inputs, values)
            visitor = self._visitor(request, inputs, values)
            job = Job(context, visitor, tab)
            try:
                yield panel.update(_status('Starting', 0.0), True)
                for update in work(context, job, *values):
                    job.check()
                    if isinstance(update, Progress):
                        paths = None if update.frame is None else []
                        yield panel.update(_status(update.text, update.fraction), True, paths, update.frame)
                    else:
                        yield panel.update(_message(update.text, 'done'), False, update.paths)
            except CanceledError:
                yield panel.update(_message('Canceled.', 'note'), False, [])
            except Exception as error:
                yield panel.update(_message(self.sentence(error), 'error'), False, [])
            finally:
                job.end()

        def cancel(request: gr.Request) -> list[Any]:
            context.files.visitor(request.session_hash).cancel(tab)
            return panel.update(_message('Canceled.', 'note'), False, [])

        running = toolbar.start.click(
            start, inputs, panel.components(toolbar), show_progress='minimal', show_progress_on=panel.status,
            concurrency_id='jobs', concurrency_limit=context.limits.jobs, **self.raw)
        canceled = toolbar.cancel.click(cancel, None, panel.components(toolbar), cancels=[running], **self.quiet)
        # after the event and not in its last update: until it has ended, Gradio ignores clicks
        for event in (running, canceled):
            event.then(lambda: gr.update(interactive=True), None, toolbar.start, **self.quiet)

    def preview(self, triggers: list[Any], inputs: list[Any], output: gr.HTML,
                show: Callable[..., str]) -> dict[str, Any]:
        """Keep a preview up to date: ``show(visitor, *values)`` returns its HTML. Returns the event's arguments."""
        def update(request: gr.Request, *values: Any) -> str:
            values = _plain(inputs, values)
            try:
                return show(self._visitor(request, inputs, values), *values)
            except Exception as error:
                return _message(self.sentence(error), 'error')

        event = dict(fn=update, inputs=inputs, outputs=output, show_progress='hidden', trigger_mode='always_last',
                     concurrency_id='previews', concurrency_limit=PREVIEWS, **self.raw)
        gr.on(triggers, **event)
        return event

    def command(self, panel: ResultPanel, inputs: list[Any], write: Callable[..., str]) -> None:
        """Keep the command line of a panel up to date: ``write(*values)`` returns it."""
        self.command_text(panel.command, inputs, write)

    def command_text(self, field: gr.Code, inputs: list[Any], write: Callable[..., str]) -> None:
        """Keep a command line up to date, from the start."""
        def line(values: Sequence[Any]) -> str:
            try:
                return write(*values)
            except Exception as error:
                return f'# {self.sentence(error)}'

        def update(request: gr.Request, *values: Any) -> str:
            values = _plain(inputs, values)
            self._visitor(request, inputs, values)  # the first to know of an upload
            return line(values)

        field.value = line([None if isinstance(part, FILES) else part.value for part in inputs])
        # one at a time, so that no earlier answer overwrites a later one; the last change is never left out
        gr.on([part.change for part in inputs], update, inputs, field, trigger_mode='always_last', **self.quiet)

    def sentence(self, error: Exception) -> str:
        """One sentence about an error, without paths of the server; what is no mistake of the visitor is logged."""
        known = explain_error(error)
        if not isinstance(error, UserError):
            details = ''.join(traceback.format_exception(error))
            print_log(f'an event of the page failed: {details}', logger='current', level=logging.ERROR)
        text = self.context.files.without_paths(known or UNEXPECTED)
        is_word = text.partition(' ')[0].isalpha()  # not the name of a file
        return (text[:1].upper() + text[1:] if is_word else text) + ('' if text.endswith('.') else '.')

    def _visitor(self, request: gr.Request, inputs: Sequence[Any], values: Sequence[Any]) -> Visitor:
        for part, value in zip(inputs, values):
            if isinstance(part, FILES) and value:
                self.context.files.note_upload(request.session_hash, Path(value))
        return self.context.files.visitor(request.session_hash)


def _status(text: str, fraction: float) -> str:
    return (f'<div class="leokit-status" role="status"><div class="leokit-bar"><div style="width: {fraction:.1%}">'
            f'</div></div>{html.escape(text)}</div>')


def _message(text: str, kind: str) -> str:
    role = 'alert' if kind == 'error' else 'status'
    return f'<div class="leokit-status {kind}" role="{role}">{html.escape(text)}</div>'


def _plain(inputs: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The values of an event, with the path of a file in place of Gradio's description of it."""
    return [value.get('path') if isinstance(part, FILES) and isinstance(value, dict) else value
            for part, value in zip(inputs, values)]
