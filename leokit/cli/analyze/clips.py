"""Compare clips of several origins under one protocol: content kept, jitter, spread, drift, range, sharpness.

    leokit analyze clips published=samples/published ours=samples/ours --num-frames 64
    leokit analyze clips published=a.json ours=samples/ours --content ColorStatistics --motion codes \\
        --animator-config lia_few_bodies_128_inpaint --animator-checkpoint work_dirs/lia_few_bodies_128_inpaint

The first frames of every clip are resized to one size and measured with the same extractors: --content describes what
is shown (faces by identity, bodies by color), --motion how it moves (landmarks, in eye distances, or the codes of an
animator). Clips with the same name, such as continuations of the same first frame, are also compared in pairs with
those of the first set. Statistics are per frame, so clips of different frame rates need --common-fps.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import frame_rate, positive_int

if TYPE_CHECKING:
    from leokit.analysis.clip_statistics import ClipSet, Features
    from leokit.video.video_entry import VideoEntry

CODES = 'codes'


def labeled_folder(text: str) -> tuple[str, Path]:
    """``LABEL=DIR``."""
    label, separator, folder = text.partition('=')
    if not (label and separator and folder):
        raise argparse.ArgumentTypeError(f'{text!r} must be LABEL=DIR, a name for the table and a folder or manifest')
    return label, Path(folder)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('sets', nargs='+', type=labeled_folder, metavar='LABEL=DIR', help='folders of videos, or manifests')
    options.add(parser, '--num-frames', default=64)
    options.add(parser, '--size', default=128)
    add('--common-fps', type=frame_rate, metavar='FPS', help='resample all clips to this rate (default: keep theirs)')
    add('--content', metavar='TYPE', default='FaceIdentity', help='extractor of the content (default: %(default)s)')
    add('--motion', metavar='TYPE', default='FaceLandmarks',
        help=f'extractor of the motion, or {CODES}, those of the animator (default: %(default)s)')
    options.add(parser, '--animator-config', '--animator-checkpoint')
    add('--threads', type=positive_int, default=2, metavar='N', help='threads that decode (default: %(default)s)')
    options.add_out(parser, 'json')
    options.add(parser, '--device')


def build_motion(kind: str, args: argparse.Namespace) -> 'Features':
    """Features of motion by name: landmarks over the mean eye distance of the clip, other features, or motion codes."""
    from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS, FaceLandmarks
    from leokit.inference import load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.inference.rendering import encode
    from leokit.metrics.expressions import eye_distance
    from leokit.models import Animator
    from leokit.registry import FEATURE_EXTRACTORS
    from leokit.utils import UserError
    device = options.choose_device(args.device)
    if kind == CODES:
        if not args.animator_config:
            raise UserError(f'--motion {CODES} needs an animator; pass --animator-config and --animator-checkpoint')
        config, checkpoint = config_and_checkpoint(args.animator_config, args.animator_checkpoint, {})
        animator = load(config, checkpoint, device, expect=Animator)
        if animator.size != args.size:
            raise UserError(f'the animator has frames of {animator.size} pixels; pass --size {animator.size}')
        return lambda frames: encode(animator, frames).motion.cpu()
    extractor = FEATURE_EXTRACTORS.build(dict(type=kind)).to(device)
    if not isinstance(extractor, FaceLandmarks):
        return lambda frames: extractor(frames.to(device)).cpu()

    def landmarks(frames):
        points = extractor(frames).unflatten(1, (NUM_LANDMARKS, 2)).double()
        # the mean distance of a point, so that the number of points does not matter
        return points.flatten(1) / (eye_distance(points).nanmean() * NUM_LANDMARKS**0.5)
    return landmarks


def select(folder: Path, args: argparse.Namespace) -> 'list[VideoEntry]':
    """The videos of a set that are long enough at the rate of the comparison."""
    from leokit.utils import UserError
    from leokit.video import VideoFilter, VideoIndex
    from leokit.video.frame_rate import resampled_count
    if not args.common_fps:
        return VideoIndex(folder, VideoFilter(min_frames=args.num_frames)).videos
    rate, videos = args.common_fps, VideoIndex(folder).videos
    chosen = [video for video in videos if resampled_count(video.frames, rate, video.fps) >= args.num_frames]
    if not chosen:
        raise UserError(f'none of the {len(videos)} videos of {folder} has {args.num_frames} frames at {rate:g} frames '
                        'per second; lower --num-frames')
    return chosen


def measure(videos: 'list[VideoEntry]', args: argparse.Namespace, content: 'Features', motion: 'Features') -> 'ClipSet':
    """Statistics of the first frames of every video."""
    import numpy as np
    import torch

    from leokit.analysis.clip_statistics import ClipSet, clip_statistics
    from leokit.datasets import FrameDecoder
    from leokit.utils import progress_bar
    from leokit.utils.pixels import from_uint8
    from leokit.utils.thread_map import thread_map
    decoder = FrameDecoder(args.size, fps=args.common_fps)

    def read(video: 'VideoEntry') -> np.ndarray:
        return np.concatenate(list(decoder.stream(video, 0, args.num_frames)))

    values = {}
    with progress_bar(len(videos), 'clips', unit='video') as bar:
        for video, frames in zip(videos, thread_map(read, videos, args.threads)):
            values[video.name] = clip_statistics(from_uint8(torch.from_numpy(frames)), content, motion)
            bar.update()
    return ClipSet(values)


def run(args: argparse.Namespace) -> None:
    """Measure every set, print and write."""
    from leokit.analysis.clip_statistics import MIN_FRAMES, clip_table
    from leokit.registry import FEATURE_EXTRACTORS
    from leokit.utils import UserError
    from leokit.utils.files import write_json
    labels = [label for label, _ in args.sets]
    if len(set(labels)) < len(labels):
        raise UserError(f'each set needs its own label, got {", ".join(labels)}')
    if args.num_frames < MIN_FRAMES:
        raise UserError(f'--num-frames must be at least {MIN_FRAMES}, got {args.num_frames}')
    sets = {label: select(folder, args) for label, folder in args.sets}
    rates = sorted({round(video.fps, 2) for videos in sets.values() for video in videos})
    if len(rates) > 1 and not args.common_fps:
        raise UserError(f'the clips have different frame rates ({", ".join(f"{rate:g}" for rate in rates)}), but the '
                        'statistics are per frame; pass --common-fps to resample them')
    device = options.choose_device(args.device)
    extractor = FEATURE_EXTRACTORS.build(dict(type=args.content)).to(device)
    motion = build_motion(args.motion, args)
    results = {label: measure(videos, args, lambda frames: extractor(frames.to(device)).cpu(), motion)
               for label, videos in sets.items()}
    print(clip_table(results))
    if args.out:
        protocol = {key: getattr(args, key) for key in ('num_frames', 'common_fps', 'size', 'content', 'motion')}
        write_json(args.out, dict(**protocol, sets={label: part.values for label, part in results.items()}))
