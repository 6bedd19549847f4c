"""Options of a motion transfer: reference frame, amount, smoothing, drift, regions, saved codes."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import finite_float, non_negative_float, npz_file, positive_float

if TYPE_CHECKING:
    from leokit.inference import DrivingCodes, MotionTransfer, VideoAnimator
    from leokit.models import Animator
    from leokit.video.readers import VideoHandle

START_FRAMES = ('auto', 'first', 'mean')
SMOOTHING_FILTERS = ('kalman', 'one_euro')


def add_motion_options(parser: argparse.ArgumentParser) -> None:
    """Add the options as a group of the help."""
    options.add(parser, '--mode', default=None, unset="the animator's, usually relative; absolute for an image")
    group = parser.add_argument_group('motion')
    group.add_argument('--start-frame', type=start_frame, default='auto', metavar='auto|first|mean|N',
                       help="driving frame that stands for the source's own pose: auto, the nearest pose of 8 frames; "
                            'first; mean, the mean pose; or its number, from 0 (default: %(default)s)')
    group.add_argument('--motion-scale', type=finite_float, default=1.0, metavar='X',
                       help='factor on the motion (default: %(default)s)')
    group.add_argument('--smooth', type=non_negative_float, default=0.0, metavar='SECONDS',
                       help='time constant of the smoothing of the driving motion, e.g. 0.05 (default: no smoothing)')
    group.add_argument('--smooth-filter', choices=SMOOTHING_FILTERS, default='kalman',
                       help='kalman: two passes, without delay; one_euro: past frames only (default: %(default)s)')
    group.add_argument('--anchor', type=positive_float, metavar='SECONDS',
                       help='remove drift: the mean pose over this time is moved to that of the whole video, e.g. 4 '
                            '(default: drift stays)')
    group.add_argument('--regions', nargs='+', metavar='NAME[=X]',
                       help='take over these parts of the motion only, times X: pose, eyes, mouth, or the name or '
                            'number of a direction; names are those of directions.json (default: the whole motion)')
    group.add_argument('--save-codes', type=npz_file, metavar='FILE.npz',
                       help='save the motion codes of the driving video; --driving FILE.npz drives with them again')


def start_frame(text: str) -> str | int:
    """``auto``, ``first``, ``mean`` or a frame number."""
    if text in START_FRAMES:
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not one of {", ".join(START_FRAMES)} or a number from 0')
    return int(text)


def motion_transfer(args: argparse.Namespace, animator: 'Animator', *, still: bool) -> 'MotionTransfer':
    """The transfer of the command line; ``still`` if the driver is an image."""
    from leokit.inference import DirectionNames, MotionTransfer, region_map
    from leokit.utils import UserError
    mode = args.mode or ('absolute' if still else animator.transfer_mode)
    if still and mode == 'relative':
        raise UserError(f'{args.driving} is an image, which has no motion; its pose is taken over with --mode absolute')
    regions = None
    if args.regions:
        names = DirectionNames.of_checkpoint(animator.checkpoint, animator.motion_dim)
        regions = region_map(names, parse_regions(args.regions))
    return MotionTransfer(mode=mode, start_frame=args.start_frame, motion_scale=args.motion_scale,
                          smooth_seconds=args.smooth, smooth_filter=args.smooth_filter, anchor_seconds=args.anchor,
                          regions=regions)


def parse_regions(texts: Sequence[str]) -> dict[str, float]:
    """``['pose', 'mouth=0.5']`` -> ``{'pose': 1.0, 'mouth': 0.5}``."""
    from leokit.utils import UserError
    amounts: dict[str, float] = {}
    for text in texts:
        name, equals, amount = text.partition('=')
        try:
            amounts[name] = finite_float(amount) if equals else 1.0
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise UserError(f'--regions {text} is not of the form NAME or NAME=NUMBER, as in mouth=0.5') from error
    return amounts


def read_motion(animator: 'VideoAnimator', video: 'VideoHandle', chunk_size: int) -> 'DrivingCodes':
    """The codes of the whole driving video, with a progress bar."""
    from leokit.utils import progress_bar
    with progress_bar(len(video), 'reading motion') as bar:
        return animator.driving_codes(video, chunk_size=chunk_size, bar=bar)


def describe(transfer: 'MotionTransfer') -> str:
    """What a finished transfer found out: start frame and jitter."""
    parts = []
    if transfer.start_frame == 'auto' and transfer.start_frames:
        parts.append(f'start frame {transfer.start_frames[0]}')
    if transfer.jitter:
        parts.append('jitter of the codes {:.3g} -> {:.3g}'.format(*transfer.jitter))
    return ', '.join(parts)
