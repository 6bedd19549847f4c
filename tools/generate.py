"""Make videos from a first frame.

    python tools/generate.py configs/leo/lmdm_synthetic.py work_dirs/lmdm/iter_50000.pth \\
        --animator-config configs/lia/lia_synthetic_64.py --animator-checkpoint work_dirs/lia/iter_20000.pth \\
        --image portrait.png --num-sequences 8 --num-frames 128 --seed 0 --out generated

The first frame is a picture, or the first frame of a video. Sequence number k of a seed is the same whatever the
batch size and however many are made. The animator may also be named in the config: animator=dict(config=...,
checkpoint=...).
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.pipelines import (  # noqa: E402
    CHUNK_SIZE, OUTPUT_SUFFIXES, VideoGenerator, animator_of, change_sampler, load_animator, load_motion_diffusion,
    open_video, read_first_frame, read_images, write_videos)
from leokit.pipelines.inputs import DEFAULT_FPS  # noqa: E402
from leokit.utils import load_config, progress_bar, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, positive_float, positive_int  # noqa: E402


class Sequence(NamedTuple):
    """One video to make: its first frame (1, 3, S, S), its number in the job, its file."""

    image: Tensor
    number: int
    path: Path


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the motion diffusion's config")
    add('checkpoint', help="the motion diffusion's checkpoint")
    add('--animator-config', metavar='FILE', help='default: animator.config of the config')
    add('--animator-checkpoint', metavar='FILE', help='default: animator.checkpoint of the config')
    first = parser.add_mutually_exclusive_group(required=True)
    first.add_argument('--image', nargs='+', metavar='PICTURE', help='first frames')
    first.add_argument('--video', nargs='+', metavar='VIDEO', help='videos whose first frames are used')
    add('--num-sequences', type=positive_int, default=1, help='videos from each first frame (default: %(default)s)')
    add('--num-frames', type=positive_int, help="frames of each video (default: the motion diffusion's window)")
    add('--seed', type=int, default=0, help='default: %(default)s')
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the videos')
    add('--format', choices=OUTPUT_SUFFIXES, default='mp4', help='default: %(default)s')
    add('--fps', type=positive_float, help=f"frames per second (default: the first video's, or {DEFAULT_FPS:g})")
    add('--steps', type=positive_int, help="sampling steps (default: the config's)")
    add('--eta', type=float, help="fresh noise in every step of DDIM, 0 to 1 (default: the config's)")
    add('--batch-size', type=positive_int, default=8, help='videos made at a time (default: %(default)s)')
    add('--chunk-size', type=positive_int, default=CHUNK_SIZE, help='frames decoded at a time (default: %(default)s)')
    add('--amp', action='store_true', help='decode in bfloat16')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def load_generator(args: argparse.Namespace) -> VideoGenerator:
    """The two models of the command line, put together."""
    config = change_sampler(load_config(args.config, args.cfg_options), args.steps, args.eta)
    named = animator_of(config, dict(config=args.animator_config, checkpoint=args.animator_checkpoint))
    animator = load_animator(named['config'], named['checkpoint'], args.device)
    return VideoGenerator(animator, load_motion_diffusion(config, args.checkpoint, args.device), amp=args.amp)


def plan(args: argparse.Namespace, size: int) -> tuple[list[Sequence], float]:
    """All videos of the job, and their rate; every input is read before anything is made."""
    images, rates = [], []
    for path in args.image or args.video:
        if args.image:
            images.append(read_images(path, size))
        else:
            with open_video(path) as video:
                images.append(read_first_frame(video, size))
                rates.append(video.fps)
    stems = [Path(path).stem for path in args.image or args.video]
    names = stems if len(set(stems)) == len(stems) else [f'{index:03d}_{stem}' for index, stem in enumerate(stems)]
    sequences = [
        Sequence(image, index * args.num_sequences + k, args.out / f'{name}_{k:04d}{OUTPUT_SUFFIXES[args.format]}')
        for index, (image, name) in enumerate(zip(images, names)) for k in range(args.num_sequences)]
    return sequences, args.fps or (rates[0] if rates else DEFAULT_FPS)


def main() -> None:
    """Read, generate, write."""
    args = parse_args()
    generator = load_generator(args)
    sequences, fps = plan(args, generator.animator.size)
    num_frames = args.num_frames or generator.motion_diffusion.num_frames
    with progress_bar(len(sequences) * num_frames, 'generating') as bar:
        for first in range(0, len(sequences), args.batch_size):
            batch = sequences[first:first + args.batch_size]
            one = all(sequence.image is batch[0].image for sequence in batch)  # encoded and kept once
            frames = generator.generate(
                batch[0].image if one else [sequence.image[0] for sequence in batch], num_frames,
                num_sequences=len(batch) if one else 1, seed=args.seed, first_sample=batch[0].number,
                chunk_size=args.chunk_size)
            write_videos(frames, [sequence.path for sequence in batch], fps, bar=bar)
    print(f'{args.out}: {len(sequences)} videos of {num_frames} frames')


if __name__ == '__main__':
    run_tool(main)
