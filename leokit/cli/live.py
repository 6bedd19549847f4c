"""Drive a portrait from a camera in real time, in a window or on a page.

    leokit live --camera 0 --source portrait.png
    leokit live leo_celebv --camera rtsp://192.168.1.20/stream --source portrait.png --page 8080 --device cuda
    leokit live work_dirs/lia_celebv_256 --camera talk.mp4 --source portrait.png --out live.mp4

A camera is the number of a device, an address (rtsp, rtsps, http, https) or a video file, which plays at its own rate.
Frames that come while another one is animated are skipped, so the latency does not grow. The pose of the first frame
is the reference of relative transfer: look at the camera as the portrait does. A model of faces sees the face of the
first frame that shows one, in a region that rests. In the window R takes a new reference and looks for the face again,
Q quits; the page has a button for the reference. The latency from the arrival of a frame to its display is printed.
"""

import argparse

from leokit.cli import face_options, options
from leokit.cli.argument_types import finite_float, non_negative_int, positive_float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('model', nargs='?', default='leo_synthetic', metavar='MODEL',
                        help='config of LEO, work dir or checkpoint, or the config of an animator (default: '
                             '%(default)s)')
    parser.add_argument('checkpoint', nargs='?', metavar='CHECKPOINT',
                        help='checkpoint file or work dir, if MODEL is the config of an animator')
    add = parser.add_argument
    add('--camera', required=True, metavar='CAMERA', help='number of a device, a video file, or an address')
    options.add(parser, '--source', required=True)
    options.add(parser, '--mode', default=None, unset="the animator's, usually relative")
    add('--motion-scale', type=finite_float, default=1.0, metavar='X', help='factor on the motion (default: 1)')
    add('--smooth', type=positive_float, metavar='SECONDS',
        help='time constant of a one-euro filter of the motion, e.g. 0.05 (default: no smoothing)')
    display = parser.add_mutually_exclusive_group()
    display.add_argument('--page', type=non_negative_int, metavar='PORT',
                         help='show the frames on a page at this port instead of in a window; 0 takes a free port')
    options.add_out(display, 'video', role='instead of showing the frames')
    add('--host', default='127.0.0.1', metavar='ADDRESS',
        help='address that the page listens on; 0.0.0.0 shows it to other machines (default: %(default)s)')
    add('--show-camera', action='store_true', help='show the frame of the camera next to the result')
    add('--seconds', type=positive_float, metavar='N', help='end after this time (default: when the camera ends)')
    group = parser.add_argument_group('faces')
    face_options.add_crop(group)
    group.add_argument('--driving-face', default='largest', metavar='WHICH',
                       help='face of the camera: largest, left, right or a number (default: %(default)s)')
    face_options.add_paste_back(group, 'the square of the model is shown')
    options.add(parser, '--device', '--amp')
    options.add(parser, '--compile', role='less time per frame on a GPU, after a minute of compilation; with --amp, '
                                          'LIA has kernels of its own instead')
    options.add(parser, '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Open the camera, animate, show."""
    from contextlib import closing

    from leokit.inference import load
    from leokit.inference.live import LiveAnimator
    from leokit.inference.smoothing import OneEuroFilter
    from leokit.live import FileDisplay, NewestFrame, PageDisplay, WindowDisplay, open_camera, run_live, warm_up
    from leokit.models import Animator
    from leokit.video.frame_rate import DEFAULT_FPS
    camera = open_camera(args.camera)
    model = load(args.model, args.checkpoint, options.choose_device(args.device), args.cfg_options, expect=Animator)
    fps = camera.fps or DEFAULT_FPS
    cropper = face_options.face_cropper(args, model)
    animator = LiveAnimator(model, args.source, mode=args.mode, motion_scale=args.motion_scale, amp=args.amp,
                            cropper=cropper, paste_back=bool(args.paste_back), max_side=args.max_side,
                            feather=args.feather, compile=args.compile)
    warm_up(animator)
    if args.smooth:
        animator.smoothing = OneEuroFilter(args.smooth, fps)
    if args.page is not None:
        display = PageDisplay(args.page, args.host)
        print(f'{display.address} shows {camera.name}; Ctrl-C ends it', flush=True)
    else:
        display = FileDisplay(args.out, fps) if args.out else WindowDisplay(f'leokit: {camera.name}')
    with closing(display), NewestFrame(camera.frames) as frames:
        report = run_live(animator, frames, display, show_camera=args.show_camera, seconds=args.seconds,
                          report=lambda state: print(state, flush=True))
    print(f'{args.out}: {report}' if args.out else report)
