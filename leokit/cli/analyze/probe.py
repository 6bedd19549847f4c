"""Probe the motion codes of SyntheticFaces: a linear map from codes to the ground-truth parameters.

    leokit analyze probe --codes data/synthetic_faces_codes --ground-truth data/synthetic_faces
    leokit analyze probe --codes data/synthetic_faces_codes --ground-truth data/synthetic_faces --components 5 10 20
    leokit analyze probe --codes data/synthetic_faces_codes --ground-truth data/synthetic_faces \\
        --name-directions work_dirs/lia_synthetic_64/directions.json

Prints R² of the map for every motion and identity parameter, fitted on the training identities and scored on the test
identities. Good codes predict motion and nothing about the identity. --name-directions also prints what each direction
moves, and writes a file next to the checkpoint from which leokit manipulate takes the directions of yaw, smile, etc.,
in standard deviations. --components shows how many dimensions of the motion space the codes use.
"""

import argparse
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add(parser, '--codes', '--ground-truth', required=True)
    options.add(parser, '--fit-split', '--score-split')
    options.add_out(parser, 'json')
    parser.add_argument('--name-directions', type=Path, metavar='FILE.json',
                        help='directions.json next to the checkpoint; an existing file is not replaced')
    parser.add_argument('--components', type=positive_int, nargs='+', metavar='K',
                        help='also R² of the K leading principal components of the codes')
    parser.accept_deprecated({'--truth': '--ground-truth', '--fit': '--fit-split', '--score': '--score-split'})


def run(args: argparse.Namespace) -> None:
    """Read, fit, print."""
    from leokit.analysis import (
        component_table, direction_table, name_directions, probe_codes, probe_components, probe_table)
    from leokit.datasets import CodeCache
    from leokit.synthetic_faces import load_truth
    from leokit.utils import UserError
    from leokit.utils.files import write_json
    if args.name_directions and args.name_directions.exists():
        raise UserError(f'{args.name_directions} exists and may hold names of your own; move it away first')
    truth, cache = load_truth(args.ground_truth), CodeCache(args.codes)
    result = probe_codes(cache, truth, fit=args.fit_split, score=args.score_split)
    print(probe_table(result))
    if args.components:
        result['components'] = probe_components(cache, truth, args.components, fit=args.fit_split,
                                                score=args.score_split)
        print(f'\nleading principal components of the codes\n\n{component_table(result["components"])}')
    if args.out:
        write_json(args.out, result)
    if args.name_directions:
        print(direction_table(cache, truth, split=args.fit_split))
        names = name_directions(cache, truth, result, split=args.fit_split)
        write_json(args.name_directions, names)
        print(f'{args.name_directions}: {", ".join(names)}')
