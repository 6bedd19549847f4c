"""Move an image or a whole video along directions of the motion space.

    leokit manipulate CONFIG CHECKPOINT --image portrait.png --out sheet.png
    leokit manipulate CONFIG CHECKPOINT --video talk.mp4 --directions turn 7 --amounts -1 0 1 --out grid.mp4
    leokit manipulate CONFIG CHECKPOINT --image portrait.png --apply turn=0.8 nod=-0.3 --out turned.png

The first two write a labeled grid with a row per direction and a column per amount; the last one applies offsets, which
are summed, and writes the result alone. A model of faces sees the face, which a single result puts back into the image
or video (see --crop and --paste-back). Names of directions are read from directions.json next to the checkpoint:
{"turn": 3, "nod": {"5": 0.8, "11": -0.3}}. `leokit analyze probe --name-directions` writes such a file.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from leokit.cli import face_options, options
from leokit.cli.argument_types import finite_float
from leokit.cli.sound_option import add_audio, describe_sound, find_sound

if TYPE_CHECKING:
    from torch import Tensor

    from leokit.models import Animator

AMOUNTS = [-2.0, -1.0, 0.0, 1.0, 2.0]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    inputs = parser.add_mutually_exclusive_group(required=True)
    options.add(inputs, '--image')
    options.add(inputs, '--video')
    parser.add_argument('--directions', nargs='+', metavar='NAME',
                        help='names or indices of directions (default: all indices, unless --apply is given)')
    parser.add_argument('--amounts', nargs='+', type=finite_float, default=AMOUNTS, metavar='X',
                        help='offsets along each direction (default: -2 -1 0 1 2)')
    parser.add_argument('--apply', nargs='+', default=[], metavar='NAME=X',
                        help='offsets that are applied first; they are summed')
    options.add(parser, '--codes', role='offsets are then in standard deviations of these codes')
    options.add_out(parser, 'image', role='.png for an image', required=True)
    add_audio(parser, 'video')
    face_options.add_face_options(parser, pasted='of a single result, if the face was cropped')
    options.add(parser, '--chunk-size', '--device', '--cfg-options')


def parse_offsets(texts: list[str]) -> dict[str, float]:
    """``['turn=0.8', '3=-1']`` -> ``{'turn': 0.8, '3': -1.0}``; repeated names are summed."""
    from leokit.utils import UserError
    offsets: dict[str, float] = {}
    for text in texts:
        name, _, amount = text.rpartition('=')
        try:
            offsets[name] = offsets.get(name, 0.0) + finite_float(amount)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise UserError(f'--apply {text} is not of the form NAME=NUMBER, as in turn=0.8') from error
    return offsets


def plan_offsets(args: argparse.Namespace, animator: 'Animator') -> tuple['Tensor', list[str], list[str]]:
    """Code offsets (rows * columns, N) and the titles of rows and columns; no titles for a single result."""
    import torch

    from leokit.datasets import CodeCache
    from leokit.inference import DirectionNames
    names = DirectionNames.of_checkpoint(animator.checkpoint, animator.motion_dim)
    unit = torch.ones(animator.motion_dim)
    if args.codes:
        unit = torch.from_numpy(CodeCache(args.codes, animator.weights_hash()).statistics()['std']).float()
    base = names.offset(parse_offsets(args.apply))
    if args.apply and not args.directions:
        return (base * unit)[None], [], []
    directions = args.directions or [str(number) for number in range(animator.motion_dim)]
    sweeps = torch.stack([names.vector(direction) for direction in directions])  # (rows, N)
    offsets = base + sweeps[:, None] * torch.tensor(args.amounts)[:, None]  # (rows, columns, N)
    return (offsets * unit).flatten(0, 1), directions, [f'{amount:+g}' if amount else '0' for amount in args.amounts]


def run(args: argparse.Namespace) -> None:
    """Read, manipulate, write."""
    from leokit.inference import (
        load, manipulate_image, manipulate_video, open_clip, paste_into_image, write_videos)
    from leokit.models import Animator
    from leokit.utils import UserError, progress_bar
    from leokit.utils.pixels import to_uint8
    from leokit.visualization import labeled_grid, save_png
    if (args.out.suffix.lower() == '.png') != bool(args.image):
        raise UserError(f'--out {args.out} does not fit: an image is written to .png, a video to .mp4, .gif or a '
                        'folder')
    sound, note = (None, '') if args.image else find_sound(args.audio, dict(video=args.video), args.out)
    animator = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options,
                    expect=Animator)
    offsets, rows, columns = plan_offsets(args, animator)
    if rows and args.paste_back:
        raise UserError('--paste-back needs a single result, and this is a grid of several; pass offsets with --apply '
                        'and leave --directions out')
    cropper = face_options.face_cropper(args, animator)

    def arrange(chunks: 'Iterator[Tensor]') -> 'Iterator[Tensor]':
        return labeled_grid(chunks, rows, columns) if rows else chunks

    def is_pasted(*, is_face: bool) -> bool:
        return is_face and not rows if args.paste_back is None else args.paste_back

    if args.image:
        source = cropper.image(args.image)
        images = manipulate_image(animator, source.images, offsets, chunk_size=args.chunk_size)
        pasted = is_pasted(is_face=source.is_face)
        chunks = paste_into_image(iter([images[:, None]]), source, max_side=args.max_side, feather=args.feather) \
            if pasted else arrange(iter([images[:, None]]))
        image = next(chunks)[0, 0]
        image = to_uint8(image) if image.is_floating_point() else image
        save_png(args.out, image.permute(1, 2, 0).cpu().numpy())
        images_text = 'one image' if len(offsets) == 1 else f'{len(offsets)} images'
        print(f'{args.out}: {images_text}' + ', face cropped' * source.is_face + ', pasted back' * pasted)
        return
    with open_clip(args.video, cropper) as clip, progress_bar(len(clip.cropped), 'manipulating') as bar:
        chunks = manipulate_video(animator, clip.cropped, offsets, chunk_size=args.chunk_size)
        pasted = is_pasted(is_face=clip.is_face)
        stream = arrange(chunks) if rows else clip.stream(
            chunks, paste_back=pasted, max_side=args.max_side, feather=args.feather)
        fps = clip.cropped.fps or options.DEFAULT_FPS
        write_videos(stream, [args.out], fps, bar=bar, sound=sound)
        notes = [describe_sound(note, sound, len(clip.cropped) / fps), clip.describe(paste_back=pasted)]
        print(f'{args.out}: {len(clip.cropped)} frames of {len(offsets)} videos, '
              + ', '.join(text for text in notes if text))
