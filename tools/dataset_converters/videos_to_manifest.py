"""Write a manifest of a folder of videos or frame folders: identity, split, frames and rate of each.

    python tools/dataset_converters/videos_to_manifest.py data/voxceleb --identity-parents 1
    python tools/dataset_converters/videos_to_manifest.py data/clips --identity-pattern '(id[0-9]+)_'

The manifest goes into the folder itself, where every data set finds it. People, never clips, are divided into train,
val and test; folders of these names are left as they are.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.video.manifest import write_manifest  # noqa: E402
from leokit.video.manifest_builder import build_manifest  # noqa: E402
from leokit.video.splits import DEFAULT_FRACTIONS, SPLITS  # noqa: E402
from leokit.video.video_index import VideoIndex  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('videos', metavar='DIR', help='folder of videos or of frame folders, searched recursively')
    parser.add_argument('--out', metavar='FILE', help='.json, .jsonl or .csv (default: DIR/manifest.json)')
    parser.add_argument('--identity-pattern', metavar='REGEX',
                        help="searched in each video's path below DIR; its first group is the identity")
    parser.add_argument('--identity-parents', type=int, default=0, metavar='N',
                        help='the outermost N folders are the identity (default: each video is its own)')
    parser.add_argument('--fractions', type=float, nargs=3, default=DEFAULT_FRACTIONS, metavar=tuple(SPLITS),
                        help='shares of people (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='another seed divides people differently')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing manifest')
    return parser.parse_args()


def main() -> None:
    """Look at the videos and write what was found."""
    args = parse_args()
    out = Path(args.out or Path(args.videos, 'manifest.json'))
    if out.exists() and not args.overwrite:
        raise UserError(f'{out} exists already; pass --overwrite to replace it')
    index = VideoIndex(args.videos, manifest=None)
    rows = build_manifest(index, out.parent, pattern=args.identity_pattern, parents=args.identity_parents,
                          fractions=args.fractions, seed=args.seed)
    write_manifest(out, rows)
    clips = Counter(row['split'] for row in rows)
    print(f'{out}: {len(rows)} videos of {len({row["identity"] for row in rows})} people; '
          f'{", ".join(f"{count} {split}" for split, count in clips.items())}; {len(index.skipped)} skipped')


if __name__ == '__main__':
    run_tool(main)
