"""Look at what the models make, as one PNG.

    python tools/analysis_tools/contact_sheet.py configs/lia/lia_synthetic_64.py work_dirs/lia_synthetic_64 \\
        --driving talk.mp4 --pictures a.png b.png --generated samples --out sheet.png

On top pairs of the config's test data (source, driving, reconstruction, flow as color, mask), then pictures moved
by a driving video, then frames of generated videos.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.inference import load_animator  # noqa: E402
from leokit.analysis.model_sheets import pair_sheet, stack_sheets, transfer_sheet, video_sheet  # noqa: E402
from leokit.registry import DATASETS  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, png_file, positive_int  # noqa: E402
from leokit.visualization import save_png  # noqa: E402


def main() -> None:
    """Read the command line, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="the animator's config")
    parser.add_argument('checkpoint', help="the animator's checkpoint, or its work dir")
    parser.add_argument('--rows', type=positive_int, default=6, help='pairs to show (default: %(default)s)')
    parser.add_argument('--data', choices=('val', 'test'), default='test', help='which data of the config')
    parser.add_argument('--pictures', nargs='+', default=[], metavar='PICTURE', help='pictures to move')
    parser.add_argument('--driving', metavar='VIDEO', help='the video that moves them')
    parser.add_argument('--generated', nargs='+', default=[], metavar='DIR', help='folders of generated videos')
    parser.add_argument('--out', type=png_file, required=True, metavar='PNG')
    add_device(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    if bool(args.pictures) != bool(args.driving):
        raise UserError('--pictures and --driving go together: pass both or neither')
    config = load_config(args.config, args.cfg_options)
    loader = config.get(f'{args.data}_dataloader')
    if not loader:
        raise UserError(f'the config {args.config} has no {args.data}_dataloader; pass another --data')
    animator = load_animator(config, args.checkpoint, args.device)
    dataset = DATASETS.build(loader.dataset)
    sheets = [pair_sheet(animator, dataset, args.rows)]
    if args.pictures and args.driving:
        sheets.append(transfer_sheet(animator, args.pictures, args.driving))
    sheets += [video_sheet(folder) for folder in args.generated]
    save_png(args.out, stack_sheets(sheets))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main)
