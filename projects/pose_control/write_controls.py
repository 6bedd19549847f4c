"""Write true motion parameters of a SyntheticFaces dataset as the control of its videos.

    python -m projects.pose_control.write_controls data/synthetic_faces_128 --out data/synthetic_faces_128_pose.npz
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from leokit.datasets import save_controls
from leokit.synthetic_faces import load_truth

POSE = ('yaw', 'pitch', 'roll')


def write_pose_controls(dataset: str | Path, out: str | Path, parameters: Sequence[str] = POSE) -> int:
    """Write the parameters of every frame of every video; return the number of videos."""
    truth = load_truth(dataset)
    columns = [truth.motion_names.index(name) for name in parameters]
    save_controls(out, {name: motion[:, columns] for name, motion in zip(truth.names, truth.motion)},
                  channels=parameters)
    return len(truth.names)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('dataset')
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    print(f'{args.out}: head poses of {write_pose_controls(args.dataset, args.out)} videos')
