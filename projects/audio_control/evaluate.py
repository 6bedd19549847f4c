"""How well the mouth of generated videos follows their sound, on held-out identities.

    python -m projects.audio_control.evaluate work_dirs/lmdm_audio --codes data/synthetic_faces_128_codes \
        --ground-truth data/synthetic_faces_128 --controls data/synthetic_faces_128_sound.npz
"""

import argparse

import numpy as np
import torch

import leokit
from leokit.analysis import ControlReport, control_report, control_table
from leokit.datasets import CodeCache, Controls, load_controls
from leokit.metrics.control_error import control_error
from leokit.models import MotionDiffusion
from leokit.synthetic_faces import load_truth
from leokit.utils.tables import markdown_table


def loudness_table(report: ControlReport, controls: Controls) -> str:
    """Correlation of loudness, the root of the power in all bands, with the opening of the mouth."""
    frames = report.asked.shape[1]
    power = np.stack([np.exp(controls.sequences[name][:frames]).sum(axis=1) for name in report.names])
    loudness = torch.from_numpy(np.sqrt(power))[..., None]  # (B, T, 1)
    rows = [['truth', *_cells(loudness, report.asked)]]
    rows += [[source, *_cells(loudness, realized)] for source, realized in report.realized.items()]
    return markdown_table(['mouth_open of', 'correlation with loudness', 'with that of another video'], rows)


def _cells(loudness: torch.Tensor, mouth: torch.Tensor) -> list[str]:
    errors = control_error(loudness, mouth)
    return [f'{errors.correlation.item():.3f}', f'{errors.chance.item():.3f}']


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
        report = control_report(model, CodeCache(args.codes), load_truth(args.ground_truth), controls, ['mouth_open'],
                                num_frames=frames, guidance_scales=(1.0, 2.0))
        print(f'\n{len(report.names)} sequences of {frames} frames\n\n{control_table(report)}\n\n'
              f'{loudness_table(report, controls)}')
