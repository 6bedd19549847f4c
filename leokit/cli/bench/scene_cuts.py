"""Measure recall and precision of the detection of scene cuts: edits are planted into clips at known frames.

    leokit bench scene-cuts --videos data/clips

The clips must have no cuts of their own. Compared are the checks of leokit and, if it is installed, PySceneDetect.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add(parser, '--videos', required=True)
    parser.add_argument('--rounds', type=positive_int, default=1, metavar='N',
                        help='edits of each kind per video (default: %(default)s)')
    options.add(parser, '--seed')
    options.add_out(parser, 'json')


def run(args: argparse.Namespace) -> None:
    """Plant, detect, print."""
    from importlib.util import find_spec

    from leokit.benchmark.scene_cut_accuracy import DETECTORS, measure_accuracy, plant_edits
    from leokit.utils.files import write_json
    from leokit.utils.tables import text_table
    from leokit.video import VideoIndex
    detectors = {name: detect for name, detect in DETECTORS.items()
                 if find_spec('scenedetect') or 'PySceneDetect' not in name}
    edits = plant_edits(VideoIndex(args.videos).videos, args.rounds, args.seed)
    accuracy, milliseconds = measure_accuracy(edits, detectors)
    rows = [['detector', 'edits', 'found', 'planted', 'recall', 'false', 'frames']]
    for (name, kind), part in accuracy.items():
        recall = f'{part.found / part.edits:.3f}' if part.edits else ''
        rows.append([name, kind, str(part.found), str(part.edits), recall, str(part.false), str(part.frames)])
    print(text_table(rows))
    for name, value in milliseconds.items():
        print(f'{name}: {value:.2f} ms per frame')
    if args.out:
        write_json(args.out, dict(accuracy=[dict(detector=name, kind=kind, **part._asdict())
                                            for (name, kind), part in accuracy.items()], milliseconds=milliseconds))
