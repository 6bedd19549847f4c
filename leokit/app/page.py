"""The page: a header and the tabs."""

import html
from pathlib import Path

import gradio as gr

from leokit.app.context import AppContext
from leokit.app.examples import Examples
from leokit.app.layout import Layout
from leokit.app.tabs import animate, compare, edit, generate, long, manipulate, unconditional

TABS = {'Animate': animate, 'Generate': generate, 'Long': long, 'Unconditional': unconditional, 'Edit': edit,
        'Manipulate': manipulate, 'Compare': compare}

# fonts of the visitor's own system: the page loads nothing from other servers
THEME = gr.themes.Base(
    primary_hue='indigo', neutral_hue='slate', radius_size='md',
    font=['system-ui', '-apple-system', 'Segoe UI', 'Roboto', 'sans-serif'],
    font_mono=['ui-monospace', 'Consolas', 'monospace'])

CSS = '''
html { overflow-y: scroll; }
.gradio-container { max-width: 1240px !important; margin: 0 auto !important; }
.leokit-header { display: flex; align-items: baseline; gap: 0.9em; flex-wrap: wrap; padding: 0.2em 0.1em; }
.leokit-header b { font-size: 1.35em; letter-spacing: -0.01em; }
.leokit-header span { color: var(--body-text-color-subdued); font-size: 0.92em; }
.leokit-introduction { color: var(--body-text-color-subdued); max-width: 62em; margin: 0.1em 0 0.2em; }
.leokit-status { min-height: 1.6em; line-height: 1.45; padding: 0.35em 0.1em; }
.leokit-status.error { color: #b42318; background: #fef3f2; border: 1px solid #fecdca; border-radius: 8px;
  padding: 0.6em 0.8em; }
.dark .leokit-status.error { color: #fda29b; background: #3b1512; border-color: #7a271a; }
.leokit-status.note { color: var(--body-text-color-subdued); }
.leokit-bar { height: 6px; border-radius: 3px; background: var(--border-color-primary); overflow: hidden;
  margin-bottom: 0.45em; }
.leokit-bar div { height: 100%; background: var(--color-accent); transition: width 0.2s; }
.leokit-figures { display: flex; gap: 12px; }
.leokit-figures figure { flex: 1; margin: 0; max-width: 400px; }
.leokit-figures img { width: 100%; border-radius: 8px; display: block; }
.leokit-figures figcaption { color: var(--body-text-color-subdued); font-size: 0.88em; padding-top: 0.3em;
  min-height: 1.4em; }
.leokit-slider input[type=number] { width: 5.4em; }
/* cutting in the browser would load a program from another server */
button[aria-label="Trim video to selection"], button[aria-label="Reset video to initial value"] {
  display: none !important; }
.leokit-hint { color: var(--body-text-color-subdued); border: 1px dashed var(--border-color-primary);
  border-radius: 8px; padding: 4.5em 1em; text-align: center; }
.leokit-link { font-size: 0.92em; }
.leokit-footer { color: var(--body-text-color-subdued); font-size: 0.86em; padding-top: 0.6em; }
video { object-fit: contain; width: 100%; height: 100%; }
'''


def build_page(context: AppContext, drawn: Examples) -> gr.Blocks:
    """All tabs in one page.

    Args:
        context (AppContext): The models, the limits and the files.
        drawn (Examples): The examples.
    """
    with gr.Blocks(title='leokit', analytics_enabled=False) as page:
        gr.HTML(_header(context))
        layout = Layout(context, drawn)
        with gr.Tabs():
            for title, tab in TABS.items():
                with gr.Tab(title, elem_id=f'{tab.TAB}-tab', id=tab.TAB):
                    tab.build(layout)
        gr.HTML(_footer(context))

        def leave(request: gr.Request) -> None:
            context.files.forget(request.session_hash)
        page.unload(leave)
    return page.queue(max_size=context.limits.queue_size, default_concurrency_limit=context.limits.jobs,
                      api_open=False)


def _header(context: AppContext) -> str:
    animator = context.animator
    facts = f'{animator.size}x{animator.size} pixels, motion code of {animator.motion_dim} numbers, on {context.device}'
    return (f'<div class="leokit-header"><b>leokit</b><span>{html.escape(Path(context.models.name).name)}</span>'
            f'<span>{html.escape(facts)}</span></div>')


def _footer(context: AppContext) -> str:
    limits = context.limits
    return ('<div class="leokit-footer">Uploads and results are deleted when this page is closed, and after '
            f'{limits.keep_minutes:g} minutes. Files up to {limits.max_upload_mb} MB and {limits.max_frames} frames. '
            'Only upload pictures of people who agree, and label what you publish as generated.</div>')
