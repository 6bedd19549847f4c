"""Start the page and stop it."""

import os
import socket
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from leokit.app.context import AppContext
from leokit.app.examples import SIZE, draw_examples
from leokit.app.files import PrivateFiles
from leokit.app.guard import Guard
from leokit.app.limits import Limits
from leokit.app.models import AppModels
from leokit.utils import UserError

# Gradio reads these when a page is built
SETTINGS = dict(GRADIO_ANALYTICS_ENABLED='False', GRADIO_MCP_SERVER='False', GRADIO_SSR_MODE='False',
                GRADIO_SHARE='False', HF_HUB_DISABLE_TELEMETRY='1')


class RunningPage(NamedTuple):
    """A page that is being served."""

    address: str
    context: AppContext


@contextmanager
def serve(models: AppModels, limits: Limits, *, host: str = '127.0.0.1', port: int = 0,
          root_path: str = '', example_size: int = SIZE) -> Iterator[RunningPage]:
    """Serve the page until the block ends; then delete all its files.

    Args:
        models (AppModels): The loaded models.
        limits (Limits): The limits of a visitor.
        host (str): Address to listen on; ``'0.0.0.0'`` for all.
        port (int): Port; 0 for a free one.
        root_path (str): Path below which a proxy shows the page.
        example_size (int): Resolution of the examples.
    """
    require_gradio()
    port = _check_port(host, port)
    files = PrivateFiles(limits.keep_minutes)
    with _environment(dict(SETTINGS, GRADIO_TEMP_DIR=str(files.root), GRADIO_EXAMPLES_CACHE=str(files.root / 'cache'))):
        from starlette.middleware import Middleware

        from leokit.app.page import CSS, THEME, build_page
        context = AppContext(models, limits, files)
        page = build_page(context, draw_examples(files.examples, example_size))
        try:
            files.sweep_regularly()
            page.launch(
                server_name=host, server_port=port, root_path=root_path, prevent_thread_lock=True, quiet=True,
                show_error=False, share=False, inbrowser=False, ssr_mode=False, mcp_server=False, pwa=False,
                enable_monitoring=False, run_history=False, footer_links=[], theme=THEME, css=CSS,
                max_file_size=limits.max_upload_bytes, state_session_capacity=1000,
                app_kwargs=dict(middleware=[Middleware(Guard, files=files, limits=limits)], docs_url=None,
                                redoc_url=None, openapi_url=None))
            shown = 'localhost' if host in ('127.0.0.1', '0.0.0.0', '::1', '::') else host
            yield RunningPage(f'http://{shown}:{port}{root_path}', context)
        finally:
            files.close()  # first, so that running jobs end
            page.close(verbose=False)


def require_gradio() -> None:
    """Raise a :class:`UserError` if Gradio is missing or too old."""
    try:
        import gradio
    except ImportError as error:
        raise UserError('leokit app needs Gradio; install it with: pip install "leokit[app]"') from error
    if int(gradio.__version__.partition('.')[0]) < 6:
        raise UserError(f'leokit app needs Gradio 6 or newer, and {gradio.__version__} is installed; update it with: '
                        'pip install --upgrade "leokit[app]"')


def _check_port(host: str, port: int) -> int:
    """The port, or a free one for 0; a :class:`UserError` if it cannot be used."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise UserError(f'the page cannot be served at {host}:{port} ({getattr(error, "strerror", None) or error})'
                            '; pass another --port or --host') from error
        return probe.getsockname()[1]


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for a block."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
