"""Generate videos from first frames, as continuations of videos, or unconditionally.

    leokit generate leo_synthetic --image portrait.png --num-sequences 8 --out generated
    leokit generate leo_synthetic --image portrait.png --last-image smile.png --num-frames 64 --out generated
    leokit generate leo_synthetic --continue talk.mp4 --num-frames 128 --out generated
    leokit generate leo_synthetic --videos clips/manifest.json --num-frames 64 --out generated
    leokit generate leo_synthetic --unconditional 16 --num-frames 128 --out generated
    leokit generate lmdm_synthetic work_dirs/lmdm_synthetic --image portrait.png --out generated \\
        --animator-config lia_synthetic_64 --animator-checkpoint work_dirs/lia_synthetic_64

A config of LEO names its checkpoints; that of a motion diffusion may name its animator. Video number k of a seed does
not depend on the batch size or on the number of videos. Key images give pose and expression of some frames.

With --videos, the first frame of every video of a dataset is continued. The results have the names of the videos, and
OUT/manifest.json their identities, so that leokit analyze clips compares them in pairs.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leokit.cli import face_options, options
from leokit.cli.argument_types import key_image, positive_int

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor

    from leokit.inference import LEO, FaceCropper
    from leokit.video.video_entry import VideoEntry

SUFFIXES = dict(zip(options.OUTPUT_FORMATS, ('.mp4', '.gif', '.npy', '')))


class Sequence(NamedTuple):
    """A video to generate.

    Attributes:
        image (Tensor, optional): Its first frame (1, 3, S, S); None to sample one.
        number (int): Its sample number.
        path (Path): Its file.
        source (VideoEntry, optional): The video of a dataset that the first frame is from.
    """

    image: 'Tensor | None'
    number: int
    path: Path
    source: 'VideoEntry | None' = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'LEO or of a motion diffusion', 'leo_synthetic')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--animator-config', '--animator-checkpoint', unset='as the config names it')
    start = parser.add_mutually_exclusive_group(required=True)
    options.add(start, '--image', nargs='+', role='the first frame of each video')
    options.add(start, '--video', nargs='+', role='its first frame is used')
    options.add(start, '--videos', role='the first frame of each video is used')
    start.add_argument('--continue', dest='continued', nargs='+', metavar='VIDEO',
                       help='videos to continue: the generated frames follow their last frames')
    start.add_argument('--unconditional', type=positive_int, metavar='N',
                       help='sample the first frames too, for N videos of identities that do not exist')
    parser.add_argument('--last-image', metavar='IMAGE', help='pose and expression of the last frame')
    parser.add_argument('--key-images', nargs='+', type=key_image, default=[], metavar='IMAGE@FRAME',
                        help='pose and expression of frames in between, counted from 0, e.g. smile.png@40')
    options.add(parser, '--control', '--control-scale', unset='as trained')
    face_options.add_crop(parser)
    options.add(parser, '--num-sequences', role='generated from each first frame', default=1)
    options.add(parser, '--num-frames', unset="that of --control, else the motion diffusion's window")
    options.add(parser, '--seed')
    options.add_out(parser, 'folder', required=True)
    options.add(parser, '--format', choices=options.OUTPUT_FORMATS, default='mp4')
    options.add(parser, '--fps', unset="that of the motion diffusion's training")
    options.add(parser, '--sampler', '--num-inference-steps', '--eta', unset="the config's")
    options.add(parser, '--guidance-scale', role='only with --unconditional', unset="the model's")
    options.add(parser, '--batch-size', role='videos generated at a time', default=8)
    options.add(parser, '--shard', role='of the videos')
    options.add(parser, '--encoder', '--chunk-size', '--amp')
    options.add(parser, '--compile', role='from 3000 frames on')
    options.add(parser, '--device', '--cfg-options')
    parser.accept_deprecated({'--steps': '--num-inference-steps', '--guidance': '--guidance-scale'})


def load_leo(args: argparse.Namespace) -> 'LEO':
    """The models that the command line needs."""
    from leokit.inference import change_sampler, is_leo_config, load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.utils import UserError, load_config
    if args.crop != 'auto' and args.unconditional:
        raise UserError('--crop applies to images and videos that are read; leave it out with --unconditional')
    if args.unconditional and (args.last_image or args.key_images or args.control):
        raise UserError('--last-image, --key-images and --control need a first frame; pass --image, --video or '
                        '--continue')
    if args.guidance_scale is not None and not args.unconditional:
        raise UserError('--guidance-scale applies to sampled first frames; it needs --unconditional')
    config, args.checkpoint = config_and_checkpoint(args.config, args.checkpoint, args.cfg_options)
    if not is_leo_config(config):
        return load_pair(config, args)
    if args.checkpoint or args.animator_config or args.animator_checkpoint:
        raise UserError(f'{args.config} names its checkpoints; leave the others out, or change them there: '
                        '--cfg-options motion_diffusion.checkpoint=...')
    if not args.unconditional:
        config.start_code = config.start_frame = config.start_frame_sr = None
    if config.get('motion_diffusion') and (args.sampler or args.num_inference_steps or args.eta is not None):
        entry = config.motion_diffusion
        entry.config = change_sampler(load_config(entry.config, entry.pop('cfg_options', None)),
                                      args.num_inference_steps, args.eta, sampler=args.sampler)
    return load(config, device=options.choose_device(args.device), amp=args.amp)


def load_pair(config: 'Config', args: argparse.Namespace) -> 'LEO':
    """A motion diffusion and its animator."""
    from leokit.inference import LEO, animator_of, change_sampler, load
    from leokit.models import Animator, MotionDiffusion
    from leokit.utils import UserError
    if args.unconditional:
        raise UserError(f'{args.config} names no models that sample first frames; pass a config of LEO, such as '
                        'leo_synthetic')
    if config.get('model', {}).get('type') == 'Animator':
        raise UserError(f'{args.config} builds an animator, which generates no motion; pass the config of a motion '
                        'diffusion, such as lmdm_synthetic, or animate images with leokit animate')
    if not args.checkpoint:
        raise UserError(f'{args.config} builds a motion diffusion, so its checkpoint is needed; pass a checkpoint or a '
                        'work dir')
    device = options.choose_device(args.device)
    named = animator_of(config, dict(config=args.animator_config, checkpoint=args.animator_checkpoint))
    animator = load(named['config'], named['checkpoint'], device, expect=Animator)
    config = change_sampler(config, args.num_inference_steps, args.eta, sampler=args.sampler)
    return LEO(animator, load(config, args.checkpoint, device, expect=MotionDiffusion), amp=args.amp)


def read_start(path: str, args: argparse.Namespace, cropper: 'FaceCropper') -> 'tuple[Tensor, float | None]':
    """The start frame (1, 3, S, S) of an image or video, and the frame rate of a video."""
    from leokit.video import open_video
    if args.image:
        return cropper.image(path).images, None
    with open_video(path, background=args.background) as video:
        index = len(video) - 1 if args.continued else 0
        return cropper.image(video.read([index])[0], f'frame {index} of {path}').images, video.fps


def plan(args: argparse.Namespace, cropper: 'FaceCropper') -> tuple[list[Sequence], float]:
    """All videos of the job, and the frame rate of the inputs; every input is read before anything is generated."""
    suffix = SUFFIXES[args.format]
    if args.unconditional:
        return [Sequence(None, number, args.out / f'{number:04d}{suffix}') for number in range(args.unconditional)], \
            options.DEFAULT_FPS
    if args.videos:
        return plan_dataset(args, cropper)
    images, rates = [], []
    paths = args.image or args.video or args.continued
    for path in paths:
        image, fps = read_start(path, args, cropper)
        images.append(image)
        rates += [] if fps is None else [fps]
    stems = [Path(path).stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [f'{index:03d}_{stem}' for index, stem in enumerate(stems)]
    sequences = [Sequence(image, index * args.num_sequences + k, args.out / f'{name}_{k:04d}{suffix}')
                 for index, (image, name) in enumerate(zip(images, names)) for k in range(args.num_sequences)]
    return sequences, rates[0] if rates else options.DEFAULT_FPS


def plan_dataset(args: argparse.Namespace, cropper: 'FaceCropper') -> tuple[list[Sequence], float]:
    """As :func:`plan`, for the videos of a dataset: a single video from a first frame has the name of its source."""
    from leokit.utils.output_paths import OutputPaths
    from leokit.video import VideoIndex
    outputs, sequences, entries = OutputPaths(args.out), [], VideoIndex(args.videos).videos
    for entry in entries:
        image, _ = read_start(str(entry.path), args, cropper)
        for k in range(args.num_sequences):
            name = entry.name if args.num_sequences == 1 else f'{entry.name}_{k:04d}'
            sequences.append(Sequence(image, len(sequences), outputs(name, SUFFIXES[args.format]), entry))
    return sequences, entries[0].fps


def refuse_replacing_inputs(args: argparse.Namespace, sequences: list[Sequence]) -> None:
    """Raise if a result, or the manifest of all, would replace a file that the command line names or a dataset has."""
    from leokit.utils import UserError
    from leokit.video.manifest import find_manifest
    inputs = [*(args.image or args.video or args.continued or ()), args.last_image,
              *(file for file, _ in args.key_images)]
    outputs = [sequence.path for sequence in sequences]
    if args.videos:
        data = Path(args.videos)
        inputs += [sequence.source.path for sequence in sequences]
        inputs.append(find_manifest(data) if data.is_dir() else data)
        outputs.append(args.out / 'manifest.json')
    real = {os.path.realpath(path): path for path in inputs if path}
    replaced = next((path for path in outputs if os.path.realpath(path) in real), None)
    if replaced is not None:
        raise UserError(f'{replaced} is one of the inputs and would be replaced by a result; choose another folder for '
                        '--out')


def write_labels(args: argparse.Namespace, sequences: list[Sequence], num_frames: int, fps: float) -> None:
    """``OUT/manifest.json`` of the continuations of a dataset: names, and who is seen."""
    from leokit.video import write_manifest
    rows = []
    for sequence in sequences:
        file = sequence.path.relative_to(args.out).as_posix()
        labels = dict(identity=sequence.source.identity, category=sequence.source.category)
        rows.append(dict(file=file, name=file.removesuffix(SUFFIXES[args.format]), frames=num_frames, fps=fps,
                         **{key: label for key, label in labels.items() if label is not None},
                         generated_by='leokit', first_frame_of=sequence.source.name))
    write_manifest(args.out / 'manifest.json', rows)


def steering(args: argparse.Namespace, window: int, cropper: 'FaceCropper') -> tuple[int, dict[str, Any]]:
    """The length of the videos; key images, control and its scale as options of :meth:`VideoGenerator.generate`."""
    from leokit.datasets.control_file import read_control
    from leokit.utils import UserError
    found: dict[str, Any] = dict(control=read_control(args.control)) if args.control else {}
    num_frames = args.num_frames or (len(found['control']) if found else window)
    keys = [*args.key_images, *([(args.last_image, num_frames - 1)] if args.last_image else [])]
    frames = [frame for _, frame in keys]
    twice = [frame for frame in frames if frames.count(frame) > 1]
    if twice:
        raise UserError(f'frame {twice[0]} has several key images; give one')
    if keys:
        found['key_images'] = {frame: cropper.image(file).images[0] for file, frame in keys}
    if args.control_scale is not None:
        found['guidance_scales'] = dict(control=args.control_scale)
    return num_frames, found


def generate(leo: 'LEO', batch: list[Sequence], num_frames: int, args: argparse.Namespace,
             steered: dict[str, Any]) -> 'Iterator[Tensor]':
    """The frames of a batch."""
    settings = dict(seed=args.seed, first_sample=batch[0].number, chunk_size=args.chunk_size)
    if args.unconditional:
        return leo.unconditional_generator.generate(len(batch), num_frames, guidance_scale=args.guidance_scale,
                                                    **settings)
    shared = all(sequence.image is batch[0].image for sequence in batch)  # one image is encoded once
    settings['num_sequences'] = len(batch) if shared else 1
    images = batch[0].image if shared else [sequence.image[0] for sequence in batch]
    method = leo.generator.extend_from_images if args.continued else leo.generator.generate
    return method(images, num_frames, **settings, **steered)


def run(args: argparse.Namespace) -> None:
    """Read, generate, write."""
    from leokit.inference import FrameStream, compile_for, write_videos
    from leokit.utils import progress_bar
    from leokit.video import check_space
    from leokit.video.video_writer import remove_written_frames
    leo = load_leo(args)
    size = leo.animator.size
    cropper = face_options.face_cropper(args, leo.animator)
    sequences, input_fps = planned, _ = plan(args, cropper)
    refuse_replacing_inputs(args, sequences)
    if args.shard:
        number, count = args.shard  # consecutive ones, as the rows of a batch have consecutive sample numbers
        sequences = sequences[len(sequences) * (number - 1) // count:len(sequences) * number // count]
    known_fps = leo.generator.fps
    fps = args.fps or known_fps or input_fps  # of a model of unknown rate, --fps states it
    num_frames, steered = steering(args, leo.generator.motion_diffusion.num_frames, cropper)
    if args.compile:
        leo.generator.fixed_chunks = compile_for(leo.animator, len(sequences) * num_frames) or None
    check_space([sequence.path for sequence in sequences], num_frames, size, size)
    with progress_bar(len(sequences) * num_frames, 'generating') as bar:
        for first in range(0, len(sequences), args.batch_size):
            batch = sequences[first:first + args.batch_size]
            if args.format == 'frames':  # other formats replace the file of an earlier run
                for sequence in batch:
                    remove_written_frames(sequence.path)
            frames = FrameStream(generate(leo, batch, num_frames, args, steered), num_frames, size, known_fps)
            write_videos(frames, [sequence.path for sequence in batch], fps, bar=bar, encoder=args.encoder)
    if args.videos:
        write_labels(args, planned, num_frames, fps)
    print(f'{args.out}: {len(sequences)} videos of {num_frames} frames')
