"""Measure whether mouth and eyes follow: transfer between frames that differ in expression but not in pose.

    leokit analyze expressions lia_few_faces_128 work_dirs/lia_few_faces_128 --split val --sheet expressions.png
    leokit analyze expressions lia_synthetic_64 work_dirs/lia_synthetic_64 --split test \\
        --ground-truth data/synthetic_faces --sheet expressions.png

Facial landmarks (dlib's; pip install "leokit[identity]") select the frame pairs in the videos of the config's data.
For mouth and eyes it prints driven, the part of the true change that the transfer produces (0 none, 1 all),
ratio_l1, the error of copying the source over the error of the transfer, and sharpness, the fine detail of the transfer
over that of the true frame. The sheet shows the pair with the largest change of each video. With --ground-truth,
identities of SyntheticFaces are rendered in pairs that differ only in mouth, smile, eyelids, brows or gaze.
"""

import argparse
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import positive_int

if TYPE_CHECKING:
    from torch import nn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--split', role='a dataloader of the config', metavar=None,
                choices=options.SPLITS, default='val')
    parser.add_argument('--pairs-per-video', type=positive_int, default=4, metavar='N',
                        help='frame pairs per video (default: %(default)s)')
    options.add(parser, '--extractor', role='68 facial landmarks', default='FaceLandmarks')
    options.add(parser, '--ground-truth')
    options.add_out(parser, 'json')
    options.add(parser, '--sheet', '--device', '--cfg-options')
    parser.accept_deprecated({'--data': '--split', '--landmarks': '--extractor', '--truth': '--ground-truth'})


def build_landmarks(kind: str) -> 'nn.Module':
    """A feature extractor of 68 facial landmarks."""
    from leokit.registry import FEATURE_EXTRACTORS
    from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
    from leokit.utils import UserError
    landmarks = FEATURE_EXTRACTORS.build(dict(type=kind))
    if landmarks.dim != 2 * NUM_LANDMARKS:
        raise UserError(f'{kind} does not extract {NUM_LANDMARKS} landmarks; use FaceLandmarks')
    return landmarks


def run(args: argparse.Namespace) -> None:
    """Transfer, measure, print."""
    from leokit.analysis import LandmarkPairs, SyntheticPairs, measure_expressions
    from leokit.inference import load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.models import Animator
    from leokit.registry import DATASETS
    from leokit.synthetic_faces import load_truth
    from leokit.utils import UserError
    from leokit.utils.files import write_json
    from leokit.visualization import save_png
    config, checkpoint = config_and_checkpoint(args.config, args.checkpoint, args.cfg_options)
    loader = config.get(f'{args.split}_dataloader')
    if not loader:
        raise UserError(f'the config {args.config} has no {args.split}_dataloader; pass another --split')
    find = (SyntheticPairs(load_truth(args.ground_truth), args.pairs_per_video) if args.ground_truth
            else LandmarkPairs(build_landmarks(args.extractor), args.pairs_per_video))
    animator = load(config, checkpoint, options.choose_device(args.device), expect=Animator)
    report = measure_expressions(animator, DATASETS.build(loader.dataset), find)
    print(report.table())
    if args.out:
        write_json(args.out, report.values())
    if args.sheet:
        save_png(args.sheet, report.sheet())
