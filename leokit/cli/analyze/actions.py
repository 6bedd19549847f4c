"""Measure how often generated motion contains the actions of SyntheticFaces: nodding and talking.

    leokit analyze actions lmdm_synthetic work_dirs/lmdm_synthetic --codes data/synthetic_faces_codes \\
        --ground-truth data/synthetic_faces

Generates from the first codes of the test identities and reads the ground-truth parameters from the codes with a linear
map, for generated and real clips alike. Prints the range and speed of each parameter, the share of clips that nod and
that talk, and which parameters are correlated.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a motion diffusion', 'lmdm_synthetic')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--codes', '--ground-truth', required=True)
    options.add(parser, '--num-frames', unset="the model's window")
    options.add(parser, '--fit-split', '--score-split', '--seed')
    options.add_out(parser, 'json')
    options.add(parser, '--device', '--cfg-options')
    parser.accept_deprecated({'--truth': '--ground-truth', '--frames': '--num-frames', '--fit': '--fit-split',
                              '--score': '--score-split'})


def run(args: argparse.Namespace) -> None:
    """Generate, measure, print."""
    from leokit.analysis import action_table, measure_action_statistics
    from leokit.datasets import CodeCache
    from leokit.inference import load
    from leokit.models import MotionDiffusion
    from leokit.synthetic_faces import load_truth
    from leokit.utils.files import write_json
    model = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options,
                 expect=MotionDiffusion)
    cache = CodeCache(args.codes, model.code_origin.animator_hash)
    result = measure_action_statistics(model, cache, load_truth(args.ground_truth), num_frames=args.num_frames,
                                       fit=args.fit_split, score=args.score_split, seed=args.seed)
    print(action_table(result))
    if args.out:
        write_json(args.out, result)
