"""The command line by which projects measure how well generated motion follows its control."""

import argparse
from collections.abc import Iterator, Sequence

import torch

import leokit
from leokit.analysis import ControlReport, control_report, control_table
from leokit.datasets import CodeCache, Controls, load_controls
from leokit.models import MotionDiffusion
from leokit.synthetic_faces import load_truth


def control_reports(description: str, parameters: Sequence[str] | None = None,
                    arguments: Sequence[str] | None = None) -> Iterator[tuple[ControlReport, Controls]]:
    """Print the table of each length of sequences, and yield its report with the controls.

    Args:
        description (str): Of the command, for ``--help``.
        parameters (Sequence[str], optional): Motion parameters that are compared. Default: those that the controls are
            named after.
        arguments (Sequence[str], optional): Of the command line. Default: those of this process.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('checkpoint', help='work dir of the motion diffusion')
    parser.add_argument('--codes', required=True)
    parser.add_argument('--ground-truth', required=True)
    parser.add_argument('--controls', required=True)
    parser.add_argument('--num-frames', type=int, nargs='+', default=[32, 96], help='lengths of the sequences')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--batch-size', type=int, default=256, help='sequences generated at a time')
    args = parser.parse_args(arguments)
    model = leokit.load(args.checkpoint, device=args.device, expect=MotionDiffusion)
    codes, truth, controls = CodeCache(args.codes), load_truth(args.ground_truth), load_controls(args.controls)
    for frames in args.num_frames:
        report = control_report(model, codes, truth, controls, parameters or controls.channels, num_frames=frames,
                                guidance_scales=(1.0, 2.0), batch_size=args.batch_size)
        print(f'\n{len(report.names)} sequences of {frames} frames\n\n{control_table(report)}')
        yield report, controls
