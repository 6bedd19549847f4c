"""Animate an image with the motion of a video.

    leokit animate lia_synthetic_64 work_dirs/lia/iter_20000.pth --source portrait.png --driving talk.mp4 \\
        --out animated.mp4
    leokit animate leo_synthetic --source portrait.png --driving talk.mp4 --smooth 0.05 --regions mouth eyes \\
        --out talking.mp4
    leokit animate leo_synthetic --driving talk.mp4 --save-codes talk.npz
    leokit animate leo_synthetic --source portrait.png --driving talk.npz --audio talk.mp4 --out animated.mp4
    leokit animate leo_synthetic --source portrait.png --driving smile.jpg --out smiling.png

The output has the frame rate of the driving video and lasts as long; --fps resamples the driving video by time. A model
of faces crops both inputs to the face and puts the animated face back into the source (see --crop and --paste-back). A
video as source keeps its own motion and rate: the driving motion is added to it.
The sound of the driving video is copied to .mp4, .mov and .mkv; --audio chooses another one. Without --smooth, --anchor
and --start-frame mean, frames are written while the driving video is still being read.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import face_options, motion_options, options
from leokit.cli.animation_source import Source, open_source
from leokit.cli.argument_types import positive_int
from leokit.cli.sound_option import add_audio, describe_sound, find_sound

if TYPE_CHECKING:
    from leokit.inference import DrivingCodes, FaceCropper, FrameStream, VideoAnimator
    from leokit.video.readers import VideoHandle

CPU_CHUNK_SIZE = 4  # as fast as more there, and the first frames come sooner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--source', role='or a video; required unless only --save-codes is wanted')
    options.add(parser, '--driving', required=True)
    motion_options.add_motion_options(parser)
    face_options.add_face_options(parser, driving=True, several=True)
    parser.add_argument('--no-details', dest='details', action='store_false',
                        help='paste faces back as the model renders them, without the details of the source image that '
                             'its resolution loses')
    parser.add_argument('--resolution', type=positive_int, metavar='PIXELS',
                        help="width and height of faces that are not pasted back, with details of the source image "
                             "(default: the model's)")
    options.add_out(parser, 'image', role='.png for an image as driver')
    add_audio(parser, 'driving', 'source')
    options.add(parser, '--fps', unset="the driving video's")
    options.add(parser, '--encoder')
    options.add(parser, '--chunk-size', default=None, unset='32; 4 on a CPU')
    options.add(parser, '--compile', role='from 3000 frames on')
    options.add(parser, '--amp', '--device', '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Read, animate, write."""
    from leokit.inference import VideoAnimator, compile_for, is_image_driver, load
    from leokit.models import Animator
    check_arguments(args)
    still = is_image_driver(args.driving)
    sound, note = (None, '') if still or not args.out else find_sound(
        args.audio, dict(driving=args.driving, source=args.source), args.out)
    device = options.choose_device(args.device)
    if args.chunk_size is None:
        args.chunk_size = CPU_CHUNK_SIZE if device == 'cpu' else options.CHUNK_SIZE
    model = load(args.config, args.checkpoint, device, args.cfg_options, expect=Animator)
    cropper = face_options.face_cropper(args, model)
    animator = VideoAnimator(model, amp=args.amp)
    transfer = motion_options.motion_transfer(args, model, still=still)
    with open_source(args, cropper) as source, open_driving(args, animator, cropper, source, still=still) as driving:
        if source is not None:
            source.check_resolution(args.resolution, model.size, details=args.details)
        if args.compile:
            animator.fixed_chunks = compile_for(model, len(driving)) or None
        if args.save_codes or (transfer.needs_whole_video and hasattr(driving, 'read')):
            driving = motion_options.read_motion(animator, driving, args.chunk_size)
        if args.save_codes:
            driving.save(args.save_codes)
            print(f'{args.save_codes}: the codes of {len(driving)} frames of {args.driving}')
        if source is None:
            return
        stream = source.animate(animator, driving, transfer, args)
        if still:
            write_image(args.out, stream)
            return
        write_animation(args.out, stream, sound, args.encoder)
        notes = [describe_sound(note, sound, stream.num_frames / stream.fps), motion_options.describe(transfer),
                 source.describe()]
        print(f'{args.out}: {stream.num_frames} frames, ' + ', '.join(text for text in notes if text))


def check_arguments(args: argparse.Namespace) -> None:
    """Raise for arguments that are missing or do not fit each other, before anything is loaded."""
    from leokit.inference import is_code_file, is_image_driver
    from leokit.utils import UserError
    if not args.save_codes and not (args.source and args.out):
        raise UserError(f'{"--source" if not args.source else "--out"} is missing; name the image to animate and the '
                        'video to write')
    if args.save_codes and bool(args.source) != bool(args.out):
        raise UserError(f'{"--source" if not args.source else "--out"} is missing; pass both, or neither to save codes '
                        'only')
    if args.save_codes and (is_code_file(args.driving) or is_image_driver(args.driving)):
        raise UserError(f'{args.driving} is no video, so there are no codes to save; leave --save-codes out')
    if args.out and is_image_driver(args.driving) != (args.out.suffix.lower() == '.png'):
        raise UserError(f'--out {args.out} does not fit {args.driving}: an image as driver gives an image, so name a '
                        '.png; a video gives .mp4, .gif, .npy or a folder')


@contextmanager
def open_driving(args: argparse.Namespace, animator: 'VideoAnimator', cropper: 'FaceCropper', source: 'Source | None',
                 *, still: bool) -> 'Iterator[VideoHandle | DrivingCodes]':
    """The driver at the rate of the output: an open video, or codes."""
    from leokit.inference import DrivingCodes, is_code_file
    from leokit.video import open_video
    fps = args.fps or (source.fps if source else None)
    if is_code_file(args.driving):
        codes = DrivingCodes.load(args.driving)
        codes.check_animator(animator.animator)
        yield codes.at_rate(fps or codes.fps)
    elif still:
        yield animator.image_codes(cropper.driving_image(args.driving))
    else:
        with open_video(args.driving, background=args.background) as video:
            yield cropper.video(video).at_rate(fps or video.fps)


def write_image(path: Path, stream: 'FrameStream') -> None:
    """Write the only frame of an animation as PNG."""
    from leokit.utils.pixels import to_uint8
    from leokit.visualization import save_png
    frame = next(stream)[0, 0]
    save_png(path, (to_uint8(frame) if frame.is_floating_point() else frame).permute(1, 2, 0).cpu().numpy())
    print(f'{path}: one image')


def write_animation(path: Path, stream: 'FrameStream', sound: Path | None, encoder: str) -> None:
    """Write the frames of an animation as a video, with a progress bar."""
    from leokit.inference import write_videos
    from leokit.utils import progress_bar
    with progress_bar(stream.num_frames, 'animating') as bar:
        write_videos(stream, [path], bar=bar, sound=sound, encoder=encoder)
