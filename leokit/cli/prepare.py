"""Cut raw videos into training clips: square, of one size, H.264 with frequent key frames.

    leokit prepare --videos data/raw --out data/clips_256 --size 256 --max-frames 160

Run again after an interruption, it continues. The new folder gets a manifest in which all clips of a video keep its
identity and split.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--videos', required=True)
    options.add_out(parser, 'folder', required=True)
    options.add(parser, '--size', required=True)
    options.add(parser, '--crop', choices=(*options.CROPS, *options.FACE_CROPS), role=options.FACE_CROPS_HELP,
                default='center')
    options.add(parser, '--fps', unset='the rate of each video')
    add('--max-frames', type=positive_int, metavar='N', help='cut longer videos into pieces (default: keep them whole)')
    add('--min-frames', type=positive_int, default=2, metavar='N', help='skip shorter videos (default: %(default)s)')
    add('--crf', type=int, choices=range(52), metavar='N', default=18,
        help='H.264 quality from 0 (lossless) to 51 (default: %(default)s)')
    add('--keyframe-interval', type=positive_int, default=12, metavar='N',
        help='frames from one key frame to the next (default: %(default)s)')
    options.add(parser, '--workers', role='videos converted at a time', unset='one per CPU core')
    parser.accept_deprecated({}, positionals=['--videos', '--out'])


def run(args: argparse.Namespace) -> None:
    """Write the clips and print a summary."""
    from leokit.datasets.preparation import Preparation, prepare_videos
    from leokit.video import VideoIndex
    settings = Preparation(size=args.size, crop=args.crop, max_frames=args.max_frames, min_frames=args.min_frames,
                           crf=args.crf, keyframe_interval=args.keyframe_interval, fps=args.fps)
    report = prepare_videos(VideoIndex(args.videos), args.out, settings, workers=args.workers)
    print(f'{args.out}: {report.clips} clips, {report.written} of them new; {len(report.skipped)} videos skipped')
    for skipped in report.skipped:
        print(f'  skipped {skipped}')
