"""Find mouth, eyes and face in every frame of a dataset, for the losses of a training on these regions.

    leokit data regions --videos data/faces --out data/faces_regions.npz
    leokit data regions --ground-truth data/synthetic_faces --out data/synthetic_regions.npz

Landmarks of the largest face are detected (dlib's; pip install "leokit[identity]"); for SyntheticFaces, the regions
follow from the ground truth. A training reads the file: train_dataloader.dataset.regions=FILE.npz. The regions are
fractions of the frame, so they fit copies of the videos at other sizes.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import non_negative_int, npz_file

MAX_GAP = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    options.add(source, '--videos', '--ground-truth')
    options.add_out(parser, 'file', required=True, type=npz_file, metavar='FILE.npz')
    options.add(parser, '--crop', default='center')
    parser.add_argument('--max-gap', type=non_negative_int, default=MAX_GAP, metavar='N',
                        help='interpolate over at most N frames without a face (default: %(default)s)')
    options.add(parser, '--workers', role='videos processed at a time', unset='one per CPU core')


def run(args: argparse.Namespace) -> None:
    """Detect, write and print a summary."""
    from leokit.data_tools.face_region_detection import write_face_regions, write_synthetic_regions
    if args.ground_truth:
        report = write_synthetic_regions(args.ground_truth, args.out, workers=args.workers)
    else:
        report = write_face_regions(args.videos, args.out, crop=args.crop, max_gap=args.max_gap, workers=args.workers)
    print(f'{args.out}: {report.videos} videos, {report.frames} frames, {report.found} of them with a face '
          f'({report.interpolated} interpolated); {len(report.skipped)} videos skipped')
    for skipped in report.skipped:
        print(f'  skipped {skipped}')
