"""Encode all videos of a folder to motion codes, to train a motion diffusion on.

    python tools/extract_motion_codes.py configs/lia/lia_synthetic_64.py work_dirs/lia/iter_20000.pth \\
        --videos data/synthetic --split train --out data/synthetic_codes

Interrupted, it goes on where it stopped when the same command is given again.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.datasets.code_cache_writer import CodeCacheWriter  # noqa: E402
from leokit.video.resize import CROPS  # noqa: E402
from leokit.video.video_filter import VideoFilter  # noqa: E402
from leokit.video.video_index import VideoIndex  # noqa: E402
from leokit.inference import extract_motion_codes, load_animator, training_crop  # noqa: E402
from leokit.utils import run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, positive_int  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="the animator's config")
    parser.add_argument('checkpoint', help="the animator's checkpoint")
    parser.add_argument('--videos', required=True, metavar='DIR', help='folder of videos or of frame folders')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the code cache')
    parser.add_argument('--manifest', metavar='FILE', help='list of the videos (default: the one in the folder)')
    parser.add_argument('--split', nargs='+', metavar='NAME', help='only these splits (default: all)')
    parser.add_argument('--crop', choices=CROPS, help='how frames become square (default: as in training)')
    parser.add_argument('--batch-size', type=positive_int, default=64, help='frames at a time (default: %(default)s)')
    parser.add_argument('--workers', type=positive_int, help='videos decoded at a time (default: one for each core)')
    parser.add_argument('--amp', action='store_true', help='encode in bfloat16: faster, codes lose precision')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    """Find the videos, encode them, say what was done."""
    args = parse_args()
    animator = load_animator(args.config, args.checkpoint, args.device, args.cfg_options)
    index = VideoIndex(args.videos, VideoFilter(split=args.split), manifest=args.manifest or 'auto')
    crop = args.crop or training_crop(animator.cfg)
    maker = dict(weights_hash=animator.weights_hash(), config=str(args.config), checkpoint=str(args.checkpoint),
                 crop=crop, amp=args.amp)
    with CodeCacheWriter(args.out, animator.motion_dim, animator=maker) as writer:
        report = extract_motion_codes(animator, index, writer, batch_size=args.batch_size, amp=args.amp,
                                      crop=crop, workers=args.workers)
    print(f'{args.out}: {report.videos} videos encoded ({report.frames} frames), {report.known} were there already, '
          f'{report.skipped} skipped')
    for skipped in writer.skipped:
        print(f'  skipped {skipped.file}: {skipped.reason}')


if __name__ == '__main__':
    run_tool(main)
