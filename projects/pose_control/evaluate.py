"""How well generated motion follows the asked head poses, on held-out identities.

    python -m projects.pose_control.evaluate work_dirs/lmdm_pose --codes data/synthetic_faces_128_codes \
        --ground-truth data/synthetic_faces_128 --controls data/synthetic_faces_128_pose.npz
"""

import argparse

import leokit
from leokit.analysis import control_report, control_table
from leokit.datasets import CodeCache, load_controls
from leokit.models import MotionDiffusion
from leokit.synthetic_faces import load_truth

parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
parser.add_argument('checkpoint', help='work dir of the motion diffusion')
parser.add_argument('--codes', required=True)
parser.add_argument('--ground-truth', required=True)
parser.add_argument('--controls', required=True)
parser.add_argument('--num-frames', type=int, nargs='+', default=[32, 96], help='lengths of the sequences')
parser.add_argument('--device', default='cpu')

if __name__ == '__main__':
    args = parser.parse_args()
    model = leokit.load(args.checkpoint, device=args.device, expect=MotionDiffusion)
    controls = load_controls(args.controls)
    for frames in args.num_frames:
        report = control_report(model, CodeCache(args.codes), load_truth(args.ground_truth), controls,
                                controls.channels, num_frames=frames, guidance_scales=(1.0, 2.0))
        print(f'\n{len(report.names)} sequences of {frames} frames\n\n{control_table(report)}')
