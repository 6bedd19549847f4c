"""Show the models in a web page: animate, generate, edit and manipulate in a browser.

    leokit app
    leokit app leo_celebv --device cuda --port 8080
    leokit app work_dirs/lia_celebv_256
    leokit app leo_synthetic --host 0.0.0.0 --max-upload-mb 20 --max-frames 500

MODEL is a config of LEO, a work dir, a checkpoint, or a config followed by its checkpoint. The page is served to this
machine alone unless --host says otherwise. Visitors' files are kept in a private temporary folder and deleted when
their page closes, after --keep-minutes, and when the command ends.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_float, positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('model', nargs='?', default='leo_synthetic', metavar='MODEL',
                        help='config of LEO, work dir or checkpoint, or the config of a model (default: %(default)s)')
    parser.add_argument('checkpoint', nargs='?', metavar='CHECKPOINT',
                        help='checkpoint file or work dir, if MODEL is the config of a single model')
    add = parser.add_argument
    add('--host', default='127.0.0.1', metavar='ADDRESS',
        help='address to listen on; 0.0.0.0 serves the page to other machines (default: %(default)s)')
    add('--port', type=positive_int, default=7860, help='port (default: %(default)s)')
    add('--root-path', default='', metavar='PATH', help='path below which a proxy shows the page, e.g. /leokit')
    add('--max-upload-mb', type=positive_int, default=100, metavar='MB',
        help='largest file that is taken (default: %(default)s)')
    add('--max-frames', type=positive_int, default=1500, metavar='N',
        help='most frames of an uploaded or generated video (default: %(default)s)')
    add('--queue-size', type=positive_int, default=20, metavar='N',
        help='visitors that may wait for their turn (default: %(default)s)')
    add('--jobs', type=positive_int, default=2, metavar='N',
        help='jobs that run at the same time and take turns on the device (default: %(default)s)')
    add('--keep-minutes', type=positive_float, default=60.0, metavar='MINUTES',
        help='time after which files are deleted even if their page is still open (default: %(default)g)')
    options.add(parser, '--device', '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Load, serve until interrupted."""
    import threading

    from leokit.app.server import require_gradio, serve
    require_gradio()
    from leokit.app import Limits, load_models
    models = load_models(args.model, args.checkpoint, options.choose_device(args.device), cfg_options=args.cfg_options,
                         option_words=getattr(args, 'cfg_options_words', ()))
    limits = Limits(max_upload_mb=args.max_upload_mb, max_frames=args.max_frames, queue_size=args.queue_size,
                    jobs=args.jobs, keep_minutes=args.keep_minutes)
    with serve(models, limits, host=args.host, port=args.port, root_path=args.root_path) as page:
        print(f'{page.address} shows {models.name}; Ctrl-C ends it', flush=True)
        threading.Event().wait()
