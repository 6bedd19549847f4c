"""Move a picture as a video moves.

    python tools/animate.py configs/lia/lia_synthetic_64.py work_dirs/lia/iter_20000.pth \\
        --source portrait.png --driving talk.mp4 --out animated.mp4
    python tools/animate.py configs/leo/leo_synthetic.py --source portrait.png --driving talk.mp4 --out animated.mp4

The output has as many frames as the driving video, and its rate.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.inference import CHUNK_SIZE, FrameStream, TRANSFER_MODES, VideoAnimator, load_named_animator, write_videos
from leokit.video import open_video, read_images
from leokit.utils import progress_bar, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, positive_float, positive_int  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="the animator's config, or one of LEO")
    parser.add_argument('checkpoint', nargs='?',
                        help="the animator's checkpoint; not for a config of LEO, which names it")
    parser.add_argument('--source', required=True, metavar='PICTURE', help='the picture to move')
    parser.add_argument('--driving', required=True, metavar='VIDEO', help='a video file or a folder of frames')
    parser.add_argument('--mode', choices=TRANSFER_MODES, default='relative',
                        help="'relative' adds the motion since the first driving frame to the picture's own pose; "
                             "'absolute' takes the driving pose itself (default: %(default)s)")
    parser.add_argument('--out', required=True, metavar='FILE', help='.mp4, .gif, or no suffix: a folder of PNG files')
    parser.add_argument('--fps', type=positive_float, help="frames per second (default: the driving video's)")
    parser.add_argument('--chunk-size', type=positive_int, default=CHUNK_SIZE,
                        help='frames at a time (default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='compute in bfloat16')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    """Read, animate, write."""
    args = parse_args()
    animator, _ = load_named_animator(args.config, args.checkpoint, args.device, args.cfg_options)
    source = read_images(args.source, animator.size)
    with open_video(args.driving) as driving:
        frames = VideoAnimator(animator, amp=args.amp).animate(
            source, driving, mode=args.mode, chunk_size=args.chunk_size)
        with progress_bar(len(driving), 'animating') as bar:
            write_videos(FrameStream(frames, len(driving), animator.size), [args.out], args.fps or driving.fps, bar=bar)
        print(f'{args.out}: {len(driving)} frames')


if __name__ == '__main__':
    run_tool(main)
