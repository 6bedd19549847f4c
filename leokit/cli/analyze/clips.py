"""Compare clips of several origins under one protocol: content kept, jitter, spread, drift, range, sharpness.

    leokit analyze clips published=samples/published ours=samples/ours --num-frames 64
    leokit analyze clips published=a.json ours=samples/ours --content ColorStatistics --motion codes \\
        --animator-config lia_few_bodies_128_inpaint --animator-checkpoint work_dirs/lia_few_bodies_128_inpaint
    leokit analyze clips published=a.json ours=samples/ours --cache-dir features --page report.md --section faces

The first frames of every clip are resized to one size and measured with the same extractors: --content describes what
is shown (faces by identity, bodies by color), --motion how it moves (landmarks, in eye distances, or the codes of an
animator). Landmarks also show how often heads nod and turn, mouths open and eyes blink. Every identity counts alike,
however many clips it has. Clips with the same name, such as continuations of the same first frame, are also compared in
pairs with those of the first set. Statistics are per frame, so clips of different frame rates need --common-fps.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import frame_rate, output_file, positive_int

if TYPE_CHECKING:
    from leokit.analysis.clip_measurement import FrameFeatures
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
    add('--cache-dir', type=Path, metavar='DIR',
        help='store the features of every clip here; an interrupted or extended comparison continues')
    add('--threads', type=positive_int, default=2, metavar='N', help='threads that decode (default: %(default)s)')
    options.add_out(parser, 'json')
    add('--page', type=output_file, metavar='FILE.md', help='write the tables into this page, between two marks')
    add('--section', metavar='NAME', default='clips',
        help='name of the marks, <!-- NAME --> and <!-- /NAME --> (default: %(default)s)')
    options.add(parser, '--device')


def build_features(kind: str, args: argparse.Namespace) -> 'FrameFeatures':
    """Features by name: those of an extractor, or motion codes."""
    from leokit.analysis.clip_measurement import FrameFeatures
    from leokit.feature_extractors.face_landmarks import FaceLandmarks
    from leokit.inference import load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.inference.rendering import encode
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
        return FrameFeatures(lambda frames: encode(animator, frames).motion.cpu(), animator.weights_hash())
    extractor = FEATURE_EXTRACTORS.build(dict(type=kind)).to(device)
    return FrameFeatures(lambda frames: extractor(frames.to(device)).cpu(), extractor.fingerprint(),
                         isinstance(extractor, FaceLandmarks))


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


def run(args: argparse.Namespace) -> None:
    """Measure every set, print and write."""
    from leokit.analysis.clip_features import ClipFeatureCache
    from leokit.analysis.clip_measurement import measure_clips
    from leokit.analysis.clip_statistics import MIN_FRAMES, clip_report
    from leokit.datasets import FrameDecoder
    from leokit.utils import UserError
    from leokit.utils.files import write_json
    from leokit.utils.page_sections import check_section, write_section
    labels = [label for label, _ in args.sets]
    if len(set(labels)) < len(labels):
        raise UserError(f'each set needs its own label, got {", ".join(labels)}')
    if args.num_frames < MIN_FRAMES:
        raise UserError(f'--num-frames must be at least {MIN_FRAMES}, got {args.num_frames}')
    if args.page:
        check_section(args.page, args.section)
    sets = {label: select(folder, args) for label, folder in args.sets}
    rates = sorted({round(video.fps, 2) for videos in sets.values() for video in videos})
    if len(rates) > 1 and not args.common_fps:
        raise UserError(f'the clips have different frame rates ({", ".join(f"{rate:g}" for rate in rates)}), but the '
                        'statistics are per frame; pass --common-fps to resample them')
    content, motion = build_features(args.content, args), build_features(args.motion, args)
    cache = ClipFeatureCache(args.cache_dir)
    decoder = FrameDecoder(args.size, fps=args.common_fps)
    results = {label: measure_clips(videos, decoder, args.num_frames, content, motion, cache, threads=args.threads,
                                    title=label)
               for label, videos in sets.items()}
    report = clip_report(results)
    print(report)
    if args.out:
        protocol = {key: getattr(args, key) for key in ('num_frames', 'common_fps', 'size', 'content', 'motion')}
        write_json(args.out, dict(**protocol, sets={label: part.values for label, part in results.items()},
                                  identities={label: part.identities for label, part in results.items()}))
    if args.page:
        write_section(args.page, args.section, report)
