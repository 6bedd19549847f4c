"""Show videos side by side in one video, in step.

    leokit compare driving.mp4 animated.mp4 --out compared.mp4

All are shown at the highest frame rate among them and at the largest height; a video that ends earlier stays at its
last frame.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('videos', nargs='+', metavar='VIDEO', help='two or more videos, files or folders of frames')
    options.add_out(parser, 'video', required=True)


def run(args: argparse.Namespace) -> None:
    """Read, join, write."""
    from contextlib import ExitStack

    from leokit.utils import progress_bar
    from leokit.video import VideoWriter, open_video
    from leokit.video.side_by_side import SideBySide, describe
    with ExitStack() as stack:
        videos = [stack.enter_context(open_video(path)) for path in args.videos]
        joined = SideBySide(videos)
        for video in videos:
            print(describe(video))
        with progress_bar(len(joined), 'comparing') as bar, VideoWriter(args.out, joined.fps) as writer:
            for frames in joined.chunks():
                writer.write(frames[0])
                bar.update(len(frames[0]))
        print(f'{args.out}: {len(joined)} frames')
