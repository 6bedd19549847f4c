"""Make videos: from first frames, as continuations, or of nobody.

    python tools/generate.py configs/leo/leo_synthetic.py --image portrait.png --num-sequences 8 --out made
    python tools/generate.py configs/leo/leo_synthetic.py --continue talk.mp4 --num-frames 128 --out made
    python tools/generate.py configs/leo/leo_synthetic.py --unconditional 16 --num-frames 128 --out made
    python tools/generate.py configs/leo/lmdm_synthetic.py work_dirs/lmdm_synthetic --image portrait.png --out made \\
        --animator-config configs/lia/lia_synthetic_64.py --animator-checkpoint work_dirs/lia_synthetic_64

A config of LEO names its checkpoints; that of a motion diffusion may name its animator. Video number k of a seed is the
same whatever the batch size and however many are made.
"""

import argparse
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

from mmengine.config import Config
from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.inference import (
    CHUNK_SIZE, LEO, OUTPUT_SUFFIXES, animator_of, change_sampler, load_animator, load_motion_diffusion, names_models,
    write_videos)
from leokit.video import open_video, read_first_frame, read_images, read_last_frame
from leokit.video.readers.base import DEFAULT_FPS  # noqa: E402
from leokit.utils import UserError, load_config, progress_bar, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, finite_float, positive_float, positive_int, share
from leokit.video import check_space  # noqa: E402


class Sequence(NamedTuple):
    """One video to make: its first frame (1, 3, S, S), None to draw one, its number in the job, its file."""

    image: Tensor | None
    number: int
    path: Path


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help='a config of LEO, or of a motion diffusion')
    add('checkpoint', nargs='?', help="the motion diffusion's checkpoint; a config of LEO names it")
    add('--animator-config', metavar='FILE', help='default: animator.config of the config')
    add('--animator-checkpoint', metavar='FILE', help='default: animator.checkpoint of the config')
    first = parser.add_mutually_exclusive_group(required=True)
    first.add_argument('--image', nargs='+', metavar='PICTURE', help='first frames')
    first.add_argument('--video', nargs='+', metavar='VIDEO', help='videos whose first frames are used')
    first.add_argument('--continue', dest='continued', nargs='+', metavar='VIDEO',
                       help='videos to continue: what is made follows their last frames')
    first.add_argument('--unconditional', type=positive_int, metavar='N',
                       help='make N videos of people who do not exist')
    add('--num-sequences', type=positive_int, default=1, help='videos from each first frame (default: %(default)s)')
    add('--num-frames', type=positive_int, help="frames of each video (default: the motion diffusion's window)")
    add('--seed', type=int, default=0, help='default: %(default)s')
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the videos')
    add('--format', choices=OUTPUT_SUFFIXES, default='mp4', help='default: %(default)s')
    add('--fps', type=positive_float, help=f"frames per second (default: the first video's, or {DEFAULT_FPS:g})")
    add('--steps', type=positive_int, help="sampling steps (default: the config's)")
    add('--eta', type=share, help="fresh noise in every step of DDIM, 0 to 1 (default: the config's)")
    add('--guidance', type=finite_float, help="how firmly drawn first frames follow their code (default: the model's)")
    add('--batch-size', type=positive_int, default=8, help='videos made at a time (default: %(default)s)')
    add('--chunk-size', type=positive_int, default=CHUNK_SIZE, help='frames decoded at a time (default: %(default)s)')
    add('--amp', action='store_true', help='decode, and draw first frames, in bfloat16')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def load_leo(args: argparse.Namespace) -> LEO:
    """The models of the command line, as far as they are needed."""
    if args.guidance is not None and not args.unconditional:
        raise UserError('--guidance is for first frames that are drawn; it needs --unconditional')
    config = load_config(args.config, args.cfg_options)
    if not names_models(config):
        return load_pair(config, args)
    if args.checkpoint or args.animator_config or args.animator_checkpoint:
        raise UserError(f'{args.config} names its checkpoints; leave the others out, or change them there: '
                        '--cfg-options motion_diffusion.checkpoint=...')
    if not args.unconditional:
        config.start_code = config.start_frame = config.start_frame_sr = None
    if config.get('motion_diffusion') and (args.steps or args.eta is not None):
        entry = config.motion_diffusion
        entry.config = change_sampler(load_config(entry.config, entry.pop('cfg_options', None)), args.steps, args.eta)
    return LEO.from_config(config, args.device, amp=args.amp)


def load_pair(config: Config, args: argparse.Namespace) -> LEO:
    """A motion diffusion and its animator."""
    if args.unconditional:
        raise UserError(f'{args.config} names no models that draw first frames; pass a config of LEO, such as '
                        'configs/leo/leo_synthetic.py')
    if config.get('model', {}).get('type') == 'Animator':
        raise UserError(f'{args.config} builds an animator, which makes no motion of its own; pass the config of a '
                        'motion diffusion, such as configs/leo/lmdm_synthetic.py, or move it with tools/animate.py')
    if not args.checkpoint:
        raise UserError(f'{args.config} builds a motion diffusion, so its checkpoint is needed; name it, or its work '
                        'dir')
    named = animator_of(config, dict(config=args.animator_config, checkpoint=args.animator_checkpoint))
    animator = load_animator(named['config'], named['checkpoint'], args.device)
    config = change_sampler(config, args.steps, args.eta)
    return LEO(animator, load_motion_diffusion(config, args.checkpoint, args.device), amp=args.amp)


def plan(args: argparse.Namespace, size: int) -> tuple[list[Sequence], float]:
    """All videos of the job, and their rate; every input is read before anything is made."""
    suffix = OUTPUT_SUFFIXES[args.format]
    if args.unconditional:
        return [Sequence(None, number, args.out / f'{number:04d}{suffix}') for number in range(args.unconditional)], \
            args.fps or DEFAULT_FPS
    images, rates = [], []
    paths = args.image or args.video or args.continued
    for path in paths:
        if args.image:
            images.append(read_images(path, size))
        else:
            with open_video(path) as video:
                images.append((read_first_frame if args.video else read_last_frame)(video, size))
                rates.append(video.fps)
    stems = [Path(path).stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [f'{index:03d}_{stem}' for index, stem in enumerate(stems)]
    sequences = [Sequence(image, index * args.num_sequences + k, args.out / f'{name}_{k:04d}{suffix}')
                 for index, (image, name) in enumerate(zip(images, names)) for k in range(args.num_sequences)]
    return sequences, args.fps or (rates[0] if rates else DEFAULT_FPS)


def make(leo: LEO, batch: list[Sequence], num_frames: int, args: argparse.Namespace) -> Iterator[Tensor]:
    """The frames of a batch."""
    options = dict(seed=args.seed, first_sample=batch[0].number, chunk_size=args.chunk_size)
    if args.unconditional:
        return leo.unconditional_generator.generate(len(batch), num_frames, guidance=args.guidance, **options)
    one = all(sequence.image is batch[0].image for sequence in batch)  # encoded and kept once
    options['num_sequences'] = len(batch) if one else 1
    images = batch[0].image if one else [sequence.image[0] for sequence in batch]
    return (leo.generator.follow if args.continued else leo.generator.generate)(images, num_frames, **options)


def main() -> None:
    """Read, generate, write."""
    args = parse_args()
    leo = load_leo(args)
    size = leo.animator.size
    sequences, fps = plan(args, size)
    num_frames = args.num_frames or leo.generator.motion_diffusion.num_frames
    check_space([sequence.path for sequence in sequences], num_frames, size, size)
    with progress_bar(len(sequences) * num_frames, 'generating') as bar:
        for first in range(0, len(sequences), args.batch_size):
            batch = sequences[first:first + args.batch_size]
            write_videos(make(leo, batch, num_frames, args), [sequence.path for sequence in batch], fps, bar=bar)
    print(f'{args.out}: {len(sequences)} videos of {num_frames} frames')


if __name__ == '__main__':
    run_tool(main)
