"""Move a picture or a whole video along directions of the motion space.

    python tools/manipulate.py CONFIG CHECKPOINT --image portrait.png --out sheet.png
    python tools/manipulate.py CONFIG CHECKPOINT --video talk.mp4 --directions turn 7 --amounts -1 0 1 --out grid.mp4
    python tools/manipulate.py CONFIG CHECKPOINT --image portrait.png --apply turn=0.8 nod=-0.3 --out turned.png

The first two show every direction (a row) at every amount (a column) with labels; the last one applies moves, which
add up, and writes the result alone. Names of directions are read from directions.json beside the checkpoint:
{"turn": 3, "nod": {"5": 0.8, "11": -0.3}}. tools/analysis_tools/probe_motion_codes.py --name-directions makes one.
"""

import argparse
import sys
from pathlib import Path
from typing import Iterator

import torch
from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache  # noqa: E402
from leokit.models import Animator  # noqa: E402
from leokit.inference import (
    CHUNK_SIZE, DirectionNames, load_named_animator, manipulate_image, manipulate_video, write_videos)
from leokit.video import open_video
from leokit.video.readers.base import DEFAULT_FPS  # noqa: E402
from leokit.utils import UserError, progress_bar, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, finite_float, positive_int  # noqa: E402
from leokit.utils.pixels import to_uint8  # noqa: E402
from leokit.visualization import labeled_grid, save_png  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the animator's config, or one of LEO")
    add('checkpoint', nargs='?', help="the animator's checkpoint; not for a config of LEO, which names it")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--image', metavar='PICTURE', help='the picture to move')
    what.add_argument('--video', metavar='VIDEO', help='the video to move')
    add('--directions', nargs='+', metavar='NAME', help='names or numbers (default: all numbers, unless --apply)')
    add('--amounts', nargs='+', type=finite_float, default=[-2.0, -1.0, 0.0, 1.0, 2.0], metavar='X',
        help='how far along each direction (default: -2 -1 0 1 2)')
    add('--apply', nargs='+', default=[], metavar='NAME=X', help='moves that are applied first; they add up')
    add('--codes', metavar='DIR', help="a code cache of this animator: amounts are standard deviations of its codes")
    add('--out', required=True, type=Path, metavar='FILE', help='.png for a picture; .mp4 or .gif for a video')
    add('--chunk-size', type=positive_int, default=CHUNK_SIZE, help='frames at a time (default: %(default)s)')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def parse_moves(texts: list[str]) -> dict[str, float]:
    """``['turn=0.8', '3=-1']`` -> ``{'turn': 0.8, '3': -1.0}``; what is named twice adds up."""
    moves: dict[str, float] = {}
    for text in texts:
        name, _, amount = text.rpartition('=')
        try:
            moves[name] = moves.get(name, 0.0) + finite_float(amount)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise UserError(f'--apply {text} is not of the form NAME=NUMBER, as in turn=0.8') from error
    return moves


def plan(args: argparse.Namespace, animator: Animator) -> tuple[Tensor, list[str], list[str]]:
    """All moves (rows * columns, N), the titles of the rows and of the columns; no titles for a single result."""
    names = DirectionNames.beside(args.checkpoint, animator.motion_dim)
    unit = torch.ones(animator.motion_dim)
    if args.codes:
        unit = torch.from_numpy(CodeCache(args.codes, animator.weights_hash()).statistics()['std']).float()
    base = names.move(parse_moves(args.apply))
    if args.apply and not args.directions:
        return (base * unit)[None], [], []
    directions = args.directions or [str(number) for number in range(animator.motion_dim)]
    sweeps = torch.stack([names.vector(direction) for direction in directions])  # (rows, N)
    moves = base + sweeps[:, None] * torch.tensor(args.amounts)[:, None]  # (rows, columns, N)
    return (moves * unit).flatten(0, 1), directions, [f'{amount:+g}' if amount else '0' for amount in args.amounts]


def main() -> None:
    """Read, move, write."""
    args = parse_args()
    if (args.out.suffix.lower() == '.png') != bool(args.image):
        raise UserError(f'{args.out} does not fit: a picture is written to .png, a video to .mp4, .gif or a folder')
    animator, args.checkpoint = load_named_animator(args.config, args.checkpoint, args.device, args.cfg_options)
    moves, rows, columns = plan(args, animator)

    def arranged(chunks: Iterator[Tensor]) -> Iterator[Tensor]:
        return labeled_grid(chunks, rows, columns) if rows else chunks

    if args.image:
        pictures = manipulate_image(animator, args.image, moves, chunk_size=args.chunk_size)
        sheet = next(arranged(iter([pictures[:, None]])))[0, 0]
        save_png(args.out, to_uint8(sheet).permute(1, 2, 0).cpu().numpy())
        print(f'{args.out}: {len(moves)} pictures')
        return
    with open_video(args.video) as video, progress_bar(len(video), 'moving') as bar:
        chunks = manipulate_video(animator, video, moves, chunk_size=args.chunk_size)
        write_videos(arranged(chunks), [args.out], video.fps or DEFAULT_FPS, bar=bar)
        print(f'{args.out}: {len(video)} frames of {len(moves)} videos')


if __name__ == '__main__':
    run_tool(main)
