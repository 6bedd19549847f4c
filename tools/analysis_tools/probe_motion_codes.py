"""Hold the motion codes of SyntheticFaces against the true parameters.

    python tools/analysis_tools/probe_motion_codes.py --codes data/synthetic_faces_codes --truth data/synthetic_faces

Prints R² of a linear map from codes to every motion parameter and to the parameters of identity, fitted on the
training people and scored on the test people. Good codes read motion and nothing of who it is.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache, CodedVideo  # noqa: E402
from leokit.datasets.synthetic import SyntheticTruth, load_truth  # noqa: E402
from leokit.metrics.linear_probe import linear_probe  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.files import write_bytes  # noqa: E402

MAX_FRAMES = 200_000  # more add nothing to a map of 20 inputs


def gather(cache: CodeCache, truth: SyntheticTruth, split: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes, true motion and true looks of the frames of one split, one row a frame."""
    rows = {name: row for row, name in enumerate(truth.names)}
    videos: list[CodedVideo] = [video for video in cache.videos if video.split == split and video.name in rows]
    if not videos:
        raise UserError(f'the code cache has no video of split {split!r} that the truth knows; extract the codes of '
                        'the data set that --truth names, all splits of it')
    longer = [video.name for video in videos if video.length > truth.motion.shape[1]]
    if longer:
        raise UserError(f'the video {longer[0]} has more codes than the truth has frames, so --codes and --truth '
                        'belong to different data sets; extract the codes of the one that --truth names')
    codes = np.concatenate([cache.codes[video.offset:video.offset + video.length] for video in videos])
    motion = np.concatenate([truth.motion[rows[video.name]][:video.length] for video in videos])
    looks = np.concatenate([truth.looks[rows[video.name]][None].repeat(video.length, 0) for video in videos])
    step = -(-len(codes) // MAX_FRAMES)
    return tuple(torch.from_numpy(np.ascontiguousarray(table[::step])) for table in (codes, motion, looks))


def main() -> None:
    """Read, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--codes', required=True, metavar='DIR', help='a code cache')
    parser.add_argument('--truth', required=True, metavar='DIR', help='the synthetic data set')
    parser.add_argument('--fit', default='train', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--score', default='test', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--out', metavar='FILE', help='write the figures to this JSON file')
    args = parser.parse_args()
    truth = load_truth(args.truth)
    cache = CodeCache(args.codes)
    codes, motion, looks = gather(cache, truth, args.fit)
    test_codes, test_motion, test_looks = gather(cache, truth, args.score)
    motion_scores = linear_probe(codes, motion, test_codes, test_motion)
    looks_scores = linear_probe(codes, looks, test_codes, test_looks)
    figures = dict(motion=dict(zip(truth.motion_names, motion_scores.tolist())),
                   looks=dict(zip(truth.looks_names, looks_scores.tolist())))
    print(f'R² of a linear map, fitted on {len(codes)} frames of {args.fit}, '
          f'scored on {len(test_codes)} of {args.score}')
    for name, score in figures['motion'].items():
        print(f'  {name:<12}{score:>7.3f}')
    varying = {name: score for name, score in figures['looks'].items() if not math.isnan(score)}
    if varying:
        best = max(varying, key=varying.get)
        mean = sum(max(score, 0.0) for score in varying.values()) / len(varying)
        print(f'  looks: mean {mean:.3f} (negative ones counted as 0), '
              f'highest {varying[best]:.3f} ({best}), of {len(varying)} parameters')
    else:
        print(f'  looks: not measured, because {args.score} shows one person only')
    if args.out:
        write_bytes(args.out, json.dumps(figures, indent=1).encode())


if __name__ == '__main__':
    run_tool(main)
