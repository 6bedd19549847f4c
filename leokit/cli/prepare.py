"""Cut raw videos, or the videos of a published dataset, into training clips: square, of one size, H.264.

    leokit prepare folder --videos data/raw --out data/clips_256 --size 256 --max-frames 160
    leokit prepare vox --metadata vox-metadata.csv --videos data/raw_vox --out data/vox

DATASET is 'folder', the default, for videos without metadata, or the name of a dataset, whose metadata says which parts
of which videos to take and where to crop. Run again after an interruption, or when more videos were obtained, it
continues. The new folder gets a manifest in which all clips of a person keep one identity and one split, and for a
dataset a report (report.html, report.json, missing.txt). No video is downloaded.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leokit.cli import face_options, options
from leokit.cli.argument_types import non_negative_int, positive_int
from leokit.deprecation import warn_renamed

FOLDER = 'folder'
DATASETS = ('taichi_hd', 'vox', 'celebv_hq', 'celebv_text', 'faceforensics', 'faceforensics_pp', 'talkvid',
            'voxceleb')
CHECKS = ('scene_cut', 'fade', 'frozen', 'repeated_frames', 'black', 'borders', 'blur', 'caption', 'faces')
PERSON = 'person'
CROPS = ('dataset', *options.CROPS, PERSON, *face_options.FACE_CROPS)
DEFAULT_CHECKS = ('scene_cut', 'black')
SIZE, MIN_FRAMES, FOLDER_MIN_FRAMES = 256, 64, 2
DATASET_ONLY = ('metadata', 'split_fractions', 'checks', 'min_side', 'split_at_cuts')


class _Dataset(argparse.Action):
    """The dataset; what stands where it should, but names none, are the folders of the last release."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[str],
                 option_string: str | None = None) -> None:
        if isinstance(values, str):  # the default, which argparse passes for no value
            return
        values = list(values)
        if values[0] in (FOLDER, *DATASETS):
            namespace.dataset = values.pop(0)
        for name, kind in (('videos', str), ('out', Path)):
            if values and getattr(namespace, name) is None:
                text = values.pop(0)
                warn_renamed('positional argument', text, f'--{name} {text}')
                setattr(namespace, name, kind(text))
                namespace.former = {**getattr(namespace, 'former', {}), name: text}
        if values:
            parser.error(f'unrecognized arguments: {" ".join(values)}')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('dataset', nargs='*', action=_Dataset, default=FOLDER, metavar='DATASET',
        help=f'{FOLDER} (default), {", ".join(DATASETS)}')
    options.add(parser, '--videos', required=True)
    options.add_out(parser, 'folder', required=True)
    add('--metadata', type=Path, metavar='FILE', help='metadata of the dataset, as its authors published it')
    options.add(parser, '--size', unset=f'{SIZE}; required for a folder')
    options.add(parser, '--crop', choices=CROPS, metavar='NAME',
                role="'dataset' crops as the dataset's authors do; 'person' follows the detected person; further "
                     'conventions crop to the detected face: ' + ', '.join(face_options.FACE_CROPS),
                unset="'dataset', or a face crop where a dataset has no boxes; 'center' for a folder")
    add('--person-detector', metavar='NAME',
        help=f"detector of --crop {PERSON}: 'torchvision' (trained on COCO; torchvision downloads its weights once), "
             "'hog' (upright people; part of OpenCV 4), or a registered one (default: torchvision)")
    options.add(parser, '--fps', unset='the rate of the dataset if it has one, else that of each video')
    add('--max-frames', type=positive_int, metavar='N', help='cut longer clips into pieces (default: keep them whole)')
    add('--min-frames', type=positive_int, metavar='N',
        help=f'skip shorter clips (default: {MIN_FRAMES}; {FOLDER_MIN_FRAMES} for a folder)')
    add('--min-side', type=non_negative_int, metavar='PIXELS',
        help='skip clips whose crop is smaller than this in the video (default: half of --size)')
    add('--checks', nargs='*', choices=(*CHECKS, 'none'), metavar='CHECK',
        help=f'skip clips with one of these defects: {", ".join(CHECKS)}; or none (default: '
             f'{" ".join(DEFAULT_CHECKS)})')
    add('--split-at-cuts', action='store_true', default=None,
        help='keep the shots of a clip with scene cuts as clips of their own instead of dropping it')
    options.add(parser, '--split-fractions', default=None, unset=' '.join(map(str, options.SPLIT_FRACTIONS)),
                role='for datasets without published splits, and for the validation part of those without one')
    add('--crf', type=int, choices=range(52), metavar='N', default=18,
        help='H.264 quality from 0 (lossless) to 51 (default: %(default)s)')
    add('--keyframe-interval', type=positive_int, default=12, metavar='N',
        help='frames from one key frame to the next (default: %(default)s)')
    options.add(parser, '--workers', role='videos converted at a time', unset='one per CPU core')
    parser.accept_deprecated({}, positionals=['--videos', '--out'])


def run(args: argparse.Namespace) -> None:
    """Write the clips and print a summary."""
    from leokit.utils import UserError
    from leokit.utils.errors import suggest
    for name, text in getattr(args, 'former', {}).items():
        if str(getattr(args, name)) != text:  # the option was given as well, so the word meant something else
            raise UserError(f'unknown dataset {text!r}{suggest(text, (FOLDER, *DATASETS))}; choose one of '
                            f'{", ".join((FOLDER, *DATASETS))}')
    if args.dataset == FOLDER:
        _prepare_folder(args)
    else:
        _prepare_dataset(args)


def _prepare_folder(args: argparse.Namespace) -> None:
    from leokit.datasets.preparation import Preparation, prepare_videos
    from leokit.utils import UserError
    from leokit.video import VideoIndex
    given = [name for name in DATASET_ONLY if getattr(args, name) is not None]
    if args.crop == 'dataset':
        given.append('crop')
    if given:
        names = ', '.join('--crop dataset' if name == 'crop' else '--' + name.replace('_', '-') for name in given)
        raise UserError(f'{names} needs a dataset: leokit prepare DATASET, with one of {", ".join(DATASETS)}')
    if args.size is None:
        raise UserError('a folder of videos needs --size')
    settings = Preparation(size=args.size, crop=args.crop or 'center', max_frames=args.max_frames,
                           min_frames=args.min_frames or FOLDER_MIN_FRAMES, crf=args.crf,
                           keyframe_interval=args.keyframe_interval, fps=args.fps, person_detector=args.person_detector)
    report = prepare_videos(VideoIndex(args.videos), args.out, settings, workers=args.workers)
    print(f'{args.out}: {report.clips} clips, {report.written} of them new; {len(report.skipped)} videos skipped')
    for skipped in report.skipped:
        print(f'  skipped {skipped}')


def _prepare_dataset(args: argparse.Namespace) -> None:
    from leokit.preparation import dataset_settings, prepare_dataset
    checks = None if args.checks is None else tuple(name for name in args.checks if name != 'none')
    values: dict[str, Any] = dict(
        size=args.size, crop=args.crop, fps=args.fps, min_frames=args.min_frames, max_frames=args.max_frames,
        min_side=args.min_side, checks=checks, crf=args.crf, keyframe_interval=args.keyframe_interval,
        person_detector=args.person_detector, split_at_cuts=args.split_at_cuts)
    report = prepare_dataset(args.dataset, args.metadata, args.videos, args.out,
                             dataset_settings(args.dataset, **values), workers=args.workers,
                             split_fractions=args.split_fractions or options.SPLIT_FRACTIONS)
    first, *rest = report.summary()
    print(f'{args.out}: {first}')
    for line in rest:
        print(f'  {line}')
    print(f'  report: {args.out / "report.html"}')
