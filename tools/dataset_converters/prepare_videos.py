"""Make training clips out of a folder of raw videos: square, of one size, H.264 with frequent key frames.

    python tools/dataset_converters/prepare_videos.py data/raw data/clips_256 --size 256 --max-frames 160

Interrupted, it goes on where it stopped when the same command is given again. The new folder gets a manifest in which
all clips of a video keep its identity and split.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets.preparation import Preparation, prepare_videos  # noqa: E402
from leokit.video.resize import CROPS  # noqa: E402
from leokit.video.video_index import VideoIndex  # noqa: E402
from leokit.utils import run_tool  # noqa: E402
from leokit.utils.arguments import positive_int  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('videos', metavar='DIR', help='folder of raw videos, or their manifest')
    parser.add_argument('out', metavar='OUT', help='folder of the clips')
    parser.add_argument('--size', type=positive_int, required=True, help='side of the clips')
    parser.add_argument('--crop', choices=CROPS, default='center',
                        help='cut the middle square out, or squeeze the whole frame (default: %(default)s)')
    parser.add_argument('--max-frames', type=positive_int, help='cut longer videos into pieces (default: leave whole)')
    parser.add_argument('--min-frames', type=positive_int, default=2,
                        help='drop what is shorter (default: %(default)s)')
    parser.add_argument('--crf', type=int, default=18, help='H.264 quality, 0 lossless to 51 (default: %(default)s)')
    parser.add_argument('--keyframe-interval', type=positive_int, default=12, help='default: %(default)s frames')
    parser.add_argument('--workers', type=positive_int, help='videos at a time (default: one for each core)')
    return parser.parse_args()


def main() -> None:
    """Make the clips, say what was done."""
    args = parse_args()
    settings = Preparation(size=args.size, crop=args.crop, max_frames=args.max_frames, min_frames=args.min_frames,
                           crf=args.crf, keyframe_interval=args.keyframe_interval)
    report = prepare_videos(VideoIndex(args.videos), args.out, settings, workers=args.workers)
    print(f'{args.out}: {report.clips} clips, {report.made} of them made now; {len(report.skipped)} videos skipped')
    for skipped in report.skipped:
        print(f'  skipped {skipped}')


if __name__ == '__main__':
    run_tool(main)
